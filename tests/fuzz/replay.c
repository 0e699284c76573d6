/* Runs a fuzz target over its seed corpus: tests/fuzz/corpus/NAME, every file and every prefix of
 * it. */
#include <dirent.h>

#include "test.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void replay(const char *path)
{
    struct str text;
    struct err e;
    if (!file_read(path, 0, &text, &e)) {
        CHECK_ROW(false, "%s", e.msg);
        return;
    }
    size_t step = text.n > 2000 ? text.n / 500 : 1;
    for (size_t n = 0; n <= text.n; n += step) {
        unsigned char *exact = malloc(n ? n : 1); /* exact size: an over-read is seen */
        memcpy(exact, text.p, n);
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
    }
    LLVMFuzzerTestOneInput((const unsigned char *)text.p, text.n);
    base_free((void *)(uintptr_t)text.p);
    test_passed++;
}

int main(int argc, char **argv)
{
    char dir[512], path[1024];
    const char *name = strrchr(argv[0], '/');
    name = name ? name + 1 : argv[0];
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    snprintf(dir, sizeof dir, "tests/fuzz/corpus/%s", name);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    DIR *d = argc > 1 ? NULL : opendir(dir);
    if (argc == 1)
        CHECK_ROW(d != NULL, "no corpus at %s", dir);
    for (struct dirent *f; d && (f = readdir(d));) {
        if (f->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
        replay(path);
    }
    if (d)
        closedir(d);
    TEST_END();
}
