/*
 * Shared libraries that are loaded when they are first needed. To load libcurl and what it needs
 * takes longer than most commands of setu take, and few of them speak to anybody. What a library is
 * called then (its soname) is found when setu is built: LIBRARY_CURL and LIBRARY_PCAP.
 * The caller sees to it that a library is loaded once; it stays.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/base.h"

/* Loads the library and looks up `count` functions by their names, which go into the members of
 * *functions, a struct of nothing but pointers to functions in that order. ERR_IO when it cannot be
 * loaded, or is a version without one of them. */
bool base_library_load(const char *soname, const char *const *names, size_t count, void *functions,
                       struct err *e);

#endif
