/* Marks the brain in a head MRI, slice by slice, and draws what it found: the whole life of an answer in one program.
 *
 * usage: brain MODEL.tmc HEAD.nii.gz PICTURE.png [REFERENCE.nii.gz]
 *
 * Not a medical device: see models/brain2d.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/image.h"
#include "io/nifti.h"
#include "overlay.h"
#include "slices.h"
#include "tmcnn/tmcnn.h"

typedef struct {
    tmc_model *model;
    tmc_plan *plan;
    tmc_session *session;
    float pixels[SLICE_SIDE * SLICE_SIDE]; /* the input, then */
    float answer[SLICE_SIDE * SLICE_SIDE]; /* the output: bound to the session, so nothing is copied */
} network;

static tmc_status open_network(network *net, const char *path, tmc_error *err) {
    tmc_plan_options plan_options;
    tmc_plan_options_init(&plan_options);
    plan_options.flags = TMC_PLAN_EXTERNAL_IO;
    tmc_status status = tmc_model_open_file(path, NULL, &net->model, err);
    if (!status) status = tmc_plan_create(net->model, &plan_options, &net->plan, err);
    if (!status) status = tmc_session_create(net->plan, NULL, &net->session, err);
    if (!status) status = tmc_session_bind_input(net->session, 0, net->pixels, sizeof net->pixels, err);
    if (!status) status = tmc_session_bind_output(net->session, 0, net->answer, sizeof net->answer, err);
    return status;
}

static void close_network(network *net) {
    tmc_session_release(&net->session);
    tmc_plan_release(&net->plan);
    tmc_model_release(&net->model);
}

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Fills `mask`; *median_ms is the network's time for a slice. */
static tmc_status mark_brain(network *net, const io_volume *head, unsigned char *mask, double *median_ms,
                             tmc_error *err) {
    double *times = malloc((size_t)head->nz * sizeof *times);
    tmc_status status = TMC_OK;
    if (!times) {
        err->status = TMC_E_NOMEM;
        return TMC_E_NOMEM;
    }
    for (int32_t z = 0; z < head->nz && !status; z++) {
        slices_extract(head, z, net->pixels);
        double start = now_ms();
        status = tmc_session_run(net->session, NULL, err);
        times[z] = now_ms() - start;
        if (!status) slices_insert(head, net->answer, mask + (size_t)z * (size_t)head->nx * (size_t)head->ny);
    }
    qsort(times, (size_t)head->nz, sizeof *times, compare_doubles);
    *median_ms = times[head->nz / 2];
    free(times);
    return status;
}

/* 2 |A and B| / (|A| + |B|) over `count` voxels; 1 where both are empty. */
static double dice(const unsigned char *a, const unsigned char *b, size_t count) {
    size_t both = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        both += a[i] && b[i];
        sum += (size_t)(a[i] != 0) + (size_t)(b[i] != 0);
    }
    return sum ? 2.0 * (double)both / (double)sum : 1.0;
}

/* Slices at 35, 50 and 65 % of the height of what `mask` marks. */
static void choose_slices(const io_volume *head, const unsigned char *mask, int32_t slices[3]) {
    static const double part[3] = {0.35, 0.50, 0.65};
    int32_t low = head->nz, high = -1;
    size_t area = (size_t)head->nx * (size_t)head->ny;
    for (int32_t z = 0; z < head->nz; z++) {
        if (!memchr(mask + (size_t)z * area, 1, area)) continue;
        if (low == head->nz) low = z;
        high = z;
    }
    for (int i = 0; i < 3; i++)
        slices[i] = high < 0 ? head->nz / 2 : low + (int32_t)(part[i] * (double)(high - low) + 0.5);
}

static tmc_status read_reference(const char *path, const io_volume *head, unsigned char **reference, tmc_error *err) {
    io_volume volume;
    TMC_TRY(io_nifti_read(path, &volume, err));
    size_t count = (size_t)head->nx * (size_t)head->ny * (size_t)head->nz;
    if (volume.nx != head->nx || volume.ny != head->ny || volume.nz != head->nz) {
        io_volume_free(&volume);
        return tmc_fail(err, TMC_E_SHAPE, "%s has another size than the head", path);
    }
    *reference = malloc(count);
    for (size_t i = 0; *reference && i < count; i++) (*reference)[i] = volume.voxels[i] > 0.0f;
    io_volume_free(&volume);
    return *reference ? TMC_OK : tmc_fail(err, TMC_E_NOMEM, "no memory for %zu voxels", count);
}

static void report(const io_volume *head, const unsigned char *mask, const unsigned char *reference, double median_ms,
                   const int32_t slices[3], const char *picture) {
    size_t area = (size_t)head->nx * (size_t)head->ny, count = area * (size_t)head->nz, marked = 0;
    for (size_t i = 0; i < count; i++) marked += mask[i];
    printf("head          %d x %d x %d voxels\n", head->nx, head->ny, head->nz);
    printf("brain         %.0f ml\n", (double)marked * (double)(head->dx * head->dy * head->dz) * 1e-3);
    printf("time          %.2f ms per slice (median of %d, 1 thread)\n", median_ms, head->nz);
    if (reference) {
        printf("Dice          %.4f against the reference, all slices\n", dice(mask, reference, count));
        for (int i = 0; i < 3; i++)
            printf("  slice %3d   %.4f\n", slices[i],
                   dice(mask + (size_t)slices[i] * area, reference + (size_t)slices[i] * area, area));
    }
    printf("picture       %s (answer red, reference green, both yellow)\n", picture);
}

static tmc_status run(network *net, char **argv, const char *reference_path, tmc_error *err) {
    io_volume head = {0};
    io_image picture = {0};
    unsigned char *mask = NULL, *reference = NULL;
    double median_ms = 0.0;
    int32_t slices[3];
    tmc_status status = open_network(net, argv[1], err);
    if (!status) status = io_nifti_read(argv[2], &head, err);
    if (!status) status = slices_normalise(&head, err);
    if (!status && reference_path) status = read_reference(reference_path, &head, &reference, err);
    if (!status) {
        mask = calloc((size_t)head.nx * (size_t)head.ny, (size_t)head.nz);
        status =
            mask ? mark_brain(net, &head, mask, &median_ms, err) : tmc_fail(err, TMC_E_NOMEM, "no memory for the mask");
    }
    if (!status) {
        choose_slices(&head, reference ? reference : mask, slices);
        status = overlay_draw(&head, mask, reference, slices, 3, &picture, err);
    }
    if (!status) status = io_image_write_png(argv[3], &picture, err);
    if (!status) report(&head, mask, reference, median_ms, slices, argv[3]);
    io_image_free(&picture);
    io_volume_free(&head);
    free(mask);
    free(reference);
    return status;
}

int main(int argc, char **argv) {
    static network net; /* 128 KiB: too much for a small stack */
    tmc_error err;
    tmc_error_init(&err);
    if (argc != 4 && argc != 5) {
        fputs("usage: brain MODEL.tmc HEAD.nii.gz PICTURE.png [REFERENCE.nii.gz]\n", stderr);
        return 2;
    }
    tmc_status status = run(&net, argv, argc == 5 ? argv[4] : NULL, &err);
    close_network(&net);
    if (status)
        fprintf(stderr, "brain: %s [%s]\n", err.message[0] ? err.message : tmc_status_text(status),
                tmc_status_name(status));
    return status ? 1 : 0;
}
