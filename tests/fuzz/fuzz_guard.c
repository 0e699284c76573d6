/* Bytes as they leave: what an identifier is put between does not hide it; bytes behind the end are
 * not read. */
#include <stdlib.h>
#include <string.h>

#include "stix/stix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct stix_guard *home(void)
{
    static struct stix_guard *g;
    struct err e = {0};
    if (!g) {
        g = stix_guard_new();
        must(g && stix_guard_plmns(g, STR("404-10 440-200"), &e) &&
             stix_guard_numbers(g, STR("9198100"), &e) &&
             stix_guard_users(g, STR("10.45.0.0/16 2001:db8::/32"), &e));
    }
    return g;
}

/* Two parts of the input around a form, with a blank on either side. */
static void plant(struct str input, const char *form)
{
    struct buf b;
    struct err e = {0};
    size_t half = input.n / 2;
    buf_init(&b, 0);
    buf_str(&b, str_slice(input, 0, half));
    /* An escape that was begun would eat the blank. */
    for (int i = 0; i < 8; i++)
        buf_byte(&b, ' ');
    buf_lit(&b, form);
    buf_byte(&b, ' ');
    buf_str(&b, str_from(input, half));
    must(buf_ok(&b, &e) && stix_guard_find(home(), buf_view(&b), NULL));
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const forms[] = {"imsi-404109876543210", "404109876543210",
                                        "NDA0MTA5ODc2NTQzMjEw", "343034313039383736353433323130",
                                        "suci-0-404-10-0-0-0-1"};
    struct stix_guard_found f = {0};
    char *exact = n ? malloc(n) : NULL;
    if (n == 0 || !exact)
        return 0;
    memcpy(exact, data, n);
    struct str s = {exact, n};
    bool any = stix_guard_find(home(), s, &f);
    must(any == (f.name != NULL));
    if (n < 4096)
        plant(s, forms[data[0] % (sizeof forms / sizeof *forms)]);
    free(exact);
    return 0;
}
