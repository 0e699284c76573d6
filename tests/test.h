/* The smallest harness: CHECK counts, TEST_END prints the line that scripts/test adds up. What
 * cannot be checked here is counted too, so that its absence is seen. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static unsigned test_passed, test_failed, test_skipped;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (cond) {                                                                                \
            test_passed++;                                                                         \
        } else {                                                                                   \
            test_failed++;                                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond);                     \
        }                                                                                          \
    } while (0)

/* Like CHECK, with a message in printf form that says which row of a table failed. */
#define CHECK_ROW(cond, ...)                                                                       \
    do {                                                                                           \
        if (cond) {                                                                                \
            test_passed++;                                                                         \
        } else {                                                                                   \
            test_failed++;                                                                         \
            fprintf(stderr, "%s:%d: failed: %s: ", __FILE__, __LINE__, #cond);                     \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
        }                                                                                          \
    } while (0)

/* Counts what is left out, with the reason in printf form. */
#define TEST_SKIP(...)                                                                             \
    do {                                                                                           \
        test_skipped++;                                                                            \
        printf("skipped: ");                                                                       \
        printf(__VA_ARGS__);                                                                       \
        putchar('\n');                                                                             \
    } while (0)

#define TEST_END()                                                                                 \
    do {                                                                                           \
        printf("%u passed, %u failed", test_passed, test_failed);                                  \
        if (test_skipped)                                                                          \
            printf(", %u skipped", test_skipped);                                                  \
        putchar('\n');                                                                             \
        return test_failed || !(test_passed || test_skipped);                                      \
    } while (0)

#endif
