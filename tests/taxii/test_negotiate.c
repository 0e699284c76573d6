/* Accept, Content-Type, If-None-Match: tables of RFC 7231 and TAXII 2.1 §1.6.8. */
#include "test.h"

#include "taxii/taxii_priv.h"

struct row {
    const char *header; /* NULL: absent */
    bool ok;
};

static const struct row accepts[] = {
    {NULL, true},
    {"", true},
    {" , ,", true}, /* §7: empty elements of a list count for nothing */
    {"application/taxii+json;version=2.1", true},
    {"application/taxii+json; version=2.1", true},
    {"application/taxii+json ; version=2.1", true},
    {"application/taxii+json;version=\"2.1\"", true},
    {"Application/TAXII+JSON; Version=2.1", true},
    {"application/taxii+json", true},
    {"application/taxii+json;version=2.0", false},
    {"application/taxii+json;version=2.10", false},
    {"application/taxii+json;version=\"2.0\"", false},
    {"application/taxii+json;version=", false},
    {"application/taxii+json;version=2.0, application/taxii+json;version=2.1", true},
    {"application/vnd.oasis.taxii+json; version=2.0", false},
    {"application/taxii", false},
    {"application/taxii+jsonx", false},
    {"text/html", false},
    {"text/html, application/taxii+json;version=2.1", true},
    {"text/html,,application/taxii+json;version=2.1,", true},
    {"text/html;q=0.9,*/*;q=0.1", true},
    {"*/*", true},
    {"application/*", true},
    {"APPLICATION/*", true},
    {"text/*", false},
    {"application/json", true},
    {"application/xml", false},
    {"*", false},
    /* q-values */
    {"application/taxii+json;version=2.1;q=1", true},
    {"application/taxii+json;version=2.1;q=0.001", true},
    {"application/taxii+json;version=2.1;q=0", false},
    {"application/taxii+json;version=2.1;q=0.", false},
    {"application/taxii+json;version=2.1;q=0.000", false},
    {"application/taxii+json;version=2.1; Q=0", false},
    {"application/taxii+json;version=2.1;q=0, text/html", false},
    {"*/*;q=0", false},
    /* the closest range decides, wherever it stands */
    {"application/taxii+json;version=2.1;q=0, */*", false},
    {"*/*, application/taxii+json;version=2.1;q=0", false},
    {"application/taxii+json;q=0, application/*;q=1", false},
    {"application/*;q=0, */*", false},
    {"application/*, */*;q=0", true},
    {"application/taxii+json;version=2.1, */*;q=0", true},
    {"application/taxii+json;q=0, application/taxii+json;version=2.1", true},
    {"application/taxii+json;version=2.0;q=0, */*", true},
    {"text/html;q=0, */*;q=0.5", true},
    {"application/taxii+json;version=2.1;q=0, application/json", false},
    {"application/json;q=0", false},
    {"application/json, */*;q=0", true},
    /* quoted strings hold commas and semicolons */
    {"application/taxii+json;x=\"a,b;q=0\";version=2.1", true},
    {"text/html;x=\", application/taxii+json, \"", false},
    {"text/html;x=\"\\\", application/taxii+json, \"", false},
    {"text/html;x=\"open, application/taxii+json", false},
};

static const struct row contents[] = {
    {NULL, false},
    {"", false},
    {"application/taxii+json;version=2.1", true},
    {"application/taxii+json; version=2.1", true},
    {" application/taxii+json ;\tversion=2.1 ", true},
    {"application/taxii+json; version=\"2.1\"", true},
    {"APPLICATION/Taxii+Json; VERSION=2.1", true},
    {"application/taxii+json", true},
    {"application/taxii+json; charset=utf-8", true},
    {"application/taxii+json; version=2.1; charset=utf-8", true},
    {"application/taxii+json; version=2.0", false},
    {"application/taxii+json; version=", false},
    {"application/taxii+json, application/taxii+json", false},
    {"application/stix+json; version=2.1", false},
    {"application/json", false},
    {"application/*", false},
    {"*/*", false},
    {"taxii+json", false},
};

#define TAG "\"abc-gzip\""
static const struct row tags[] = {
    {NULL, false},
    {"", false},
    {TAG, true},
    {" " TAG " ", true},
    {"*", true},
    {" * ", true},
    {"W/" TAG, true}, /* RFC 9110 §13.1.2: weak comparison */
    {"w/" TAG, false},
    {"\"x\", " TAG, true},
    {TAG ",\"x\"", true},
    {"\"x\",W/" TAG ",", true},
    {"\"abc\"", false}, /* the same page in another coding */
    {"\"abc-zstd\"", false},
    {"abc-gzip", false},
    {"\"ABC-GZIP\"", false},
    {"\"x, " TAG "\"", false},
    {"\"abc-gzip", false},
    {"*, \"x\"", false},
};

static bool tag_matches(struct str header)
{
    return taxii_tag_matches(header, STR(TAG));
}

/* In exact-size memory, so that reading on is seen. */
static bool ask(bool (*question)(struct str), const char *header)
{
    size_t n = header ? strlen(header) : 0;
    char *exact = malloc(n ? n : 1);
    if (n)
        memcpy(exact, header, n);
    bool ok = question((struct str){header ? exact : NULL, n});
    free(exact);
    return ok;
}

int main(void)
{
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++)
        CHECK_ROW(ask(taxii_accepts, accepts[i].header) == accepts[i].ok, "Accept: %s",
                  accepts[i].header ? accepts[i].header : "(none)");
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
        CHECK_ROW(ask(taxii_content_ok, contents[i].header) == contents[i].ok, "Content-Type: %s",
                  contents[i].header ? contents[i].header : "(none)");
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        CHECK_ROW(ask(tag_matches, tags[i].header) == tags[i].ok, "If-None-Match: %s",
                  tags[i].header ? tags[i].header : "(none)");
    TEST_END();
}
