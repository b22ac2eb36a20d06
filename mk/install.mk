## make install PREFIX= header, static and shared library, pkg-config file, command line
.PHONY: install uninstall
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib

# Always: PREFIX may be another than last time.
.PHONY: FORCE
$(BUILD)/libtmcnn.pc: mk/libtmcnn.pc.in FORCE
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIBS)|' $< > $@

install: all $(BUILD)/libtmcnn.pc
	install -d $(DESTDIR)$(PREFIX)/include/tmcnn $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/bin
	install -m 644 include/tmcnn/*.h $(DESTDIR)$(PREFIX)/include/tmcnn
	install -m 644 $(LIB) $(DESTDIR)$(LIBDIR)
	install -m 755 $(SO) $(DESTDIR)$(LIBDIR)
	ln -sf libtmcnn.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libtmcnn.so.$(SOVERSION)
	ln -sf libtmcnn.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libtmcnn.so
	install -m 644 $(BUILD)/libtmcnn.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 755 $(BUILD)/tmcnn $(DESTDIR)$(PREFIX)/bin

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/include/tmcnn $(DESTDIR)$(LIBDIR)/libtmcnn.* $(DESTDIR)$(LIBDIR)/pkgconfig/libtmcnn.pc \
	  $(DESTDIR)$(PREFIX)/bin/tmcnn
