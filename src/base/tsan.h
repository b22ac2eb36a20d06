/* A caller's pthreadpool orders the caller's writes before its tasks, and these before its return, but ThreadSanitizer
 * does not see inside the package. These two say so, in sanitizer builds only: what happens before `publish` is seen
 * after `observe` of the same address. */
#ifndef TMC_BASE_TSAN_H
#define TMC_BASE_TSAN_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TMC_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define TMC_TSAN 1
#endif

#if defined(TMC_TSAN)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define TMC_TSAN_PUBLISH(address) __tsan_release(address)
#define TMC_TSAN_OBSERVE(address) __tsan_acquire(address)
#else
#define TMC_TSAN_PUBLISH(address) ((void)0)
#define TMC_TSAN_OBSERVE(address) ((void)0)
#endif

#endif
