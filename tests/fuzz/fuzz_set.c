/*
 * A set's file that somebody spoilt: the input changes bytes of a good one, four bytes an edit
 * (place, two bytes little-endian of pages of the file; what to put; how). By the first byte the
 * sums are made good again, so that what stands behind them is reached, or not. Whatever it opens
 * as, looking up and copying end, inside the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "match/match_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char list[] = "evil.com\na.evil.com\n1.2.3.4\n1.2.3.0/24\n10.0.0.0/8\n2001:db8::1\n"
                           "2001:db8::/32\nhttp://evil.com/a\nhttp://[2001:db8::1]/a\nevil.com\n"
                           "bob@evil.com\n0123456789abcdef0123456789abcdef\nm\xc3\xbcnchen.de\n";
static const char text[] =
    "evil.com a.evil.com 1.2.3.4 1.2.3.9 10.9.8.7 2001:db8::1 http://evil.com/a x.evil.com "
    "http://[2001:db8::1]/a bob@evil.com 0123456789abcdef0123456789abcdef m\xc3\xbcnchen.de ";

static bool on_hit(void *ctx, const struct match_hit *h)
{
    const struct match_set *s = ctx;
    struct match_indicator i = match_set_get(s, h->indicator);
    size_t sum = 0;
    for (size_t k = 0; k < i.id.n; k++)
        sum += (unsigned char)i.id.p[k];
    for (size_t k = 0; k < i.name.n; k++)
        sum += (unsigned char)i.name.p[k];
    return sum < SIZE_MAX;
}

/* The file of a good set. */
static struct str good_file(void)
{
    static struct str file;
    struct match_list_options options = {
        .like = {.name = STR("name"), .tlp = STR("amber"), .until_us = INT64_MAX}};
    struct err e;
    char path[] = "/tmp/setu-fuzz-XXXXXX";
    if (file.n > 0)
        return file;
    struct match_set *s = match_set_new();
    int fd = mkstemp(path);
    must(s != NULL && fd >= 0 && match_set_load_list(s, str_of(list), &options, &e) &&
         match_set_seal(s, &e) && match_set_write(s, path, &e) && file_read(path, 0, &file, &e));
    close(fd);
    unlink(path);
    match_set_free(s);
    return file;
}

/* Sums that fit what is there, as far as there is room for them. */
static void make_good(char *file, size_t n)
{
    struct match_header h;
    memcpy(&h, file, sizeof h);
    uint64_t at = h.sections[MATCH_SUMS].at, pages = at / MATCH_PAGE;
    if (at % MATCH_PAGE == 0 && at < n && pages <= (n - at) / sizeof(uint64_t)) {
        for (size_t i = 1; i < pages; i++) {
            uint64_t sum = match_sum(file + i * MATCH_PAGE, MATCH_PAGE);
            memcpy(file + at + i * sizeof sum, &sum, sizeof sum);
        }
        h.sums_sum = match_sum(file + at, n - at);
    }
    h.sum = match_sum(&h, offsetof(struct match_header, sum));
    memcpy(file, &h, sizeof h);
}

static void use(const struct match_set *s)
{
    struct match_set *copy = match_set_new(), *over = match_set_new();
    struct err e;
    must(copy != NULL && over != NULL);
    match_scan(s, (struct str){text, sizeof text - 1}, 0, on_hit, (void *)(uintptr_t)s);
    for (uint32_t i = 0; i < match_set_indicators(s) && i < 100; i++)
        (void)match_set_get(s, i);
    if (match_set_copy(copy, s, &e) && match_set_seal(copy, &e))
        match_scan(copy, (struct str){text, sizeof text - 1}, 0, on_hit, copy);
    match_set_over(over, s);
    if (match_set_silence(over, STR("evil.com"), &e) && match_set_seal(over, &e))
        match_scan(over, (struct str){text, sizeof text - 1}, 0, on_hit, over);
    match_set_free(over);
    match_set_free(copy);
    (void)match_set_damaged(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str good = good_file();
    char path[64];
    struct match_set *s;
    struct err e;
    if (n == 0)
        return 0;
    size_t length = data[0] % 4 == 3 ? good.n * data[0] / 256 : good.n;
    char *file = base_alloc(length);
    must(file != NULL);
    memcpy(file, good.p, length);
    for (size_t i = 1; i + 4 <= n; i += 4) {
        size_t at = (data[i] | (size_t)data[i + 1] << 8) % (length > 0 ? length : 1);
        if (length > 0)
            file[at] = (char)(data[i + 3] % 2 ? data[i + 2] : file[at] + (char)data[i + 2]);
    }
    if (data[0] % 2 == 0 && length >= MATCH_PAGE)
        make_good(file, length);
    int fd = memfd_create("set", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, file, length) == (ssize_t)length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (match_set_open(path, &s, &e)) {
        use(s);
        match_set_free(s);
    }
    close(fd);
    base_free(file);
    return 0;
}
