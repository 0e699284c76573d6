/* Texts that STIX takes from other standards: good and bad ones of each. */
#include "test.h"

#include "stix/stix_priv.h"

struct row {
    bool (*ok)(struct str);
    const char *text;
    bool good;
};

static const struct row rows[] = {
    {stix_format_language, "en", true},
    {stix_format_language, "EN-us", true},
    {stix_format_language, "zh-yue-Hant-HK", true},
    {stix_format_language, "de-CH-1901-u-co-phonebk-x-a-b", true},
    {stix_format_language, "es-419", true},
    {stix_format_language, "x-any", true},
    {stix_format_language, "i-klingon", true},
    {stix_format_language, "qaa", true},
    {stix_format_language, "", false},
    {stix_format_language, "e", false},
    {stix_format_language, "xq", false},
    {stix_format_language, "PHP", false},
    {stix_format_language, "English", false},
    {stix_format_language, "en_US", false},
    {stix_format_language, "en-", false},
    {stix_format_language, "en-US-Latn", false},
    {stix_format_language, "en-x", false},
    {stix_format_language, "en-u-a-b", false},
    {stix_format_ipv4, "1.2.3.4", true},
    {stix_format_ipv4, "0.0.0.0/0", true},
    {stix_format_ipv4, "1.2.3.4/33", false},
    {stix_format_ipv4, "1.2.3.256", false},
    {stix_format_ipv4, "1.2.3.04", false},
    {stix_format_ipv4, "1.2.3.4.", false},
    {stix_format_ipv4, "1.2.3.4/", false},
    {stix_format_ipv6, "::", true},
    {stix_format_ipv6, "::1/128", true},
    {stix_format_ipv6, "1::", true},
    {stix_format_ipv6, "2001:0db8:85a3:0000:0000:8a2e:0370:7334", true},
    {stix_format_ipv6, "2001:db8::8a2e:370:7334/64", true},
    {stix_format_ipv6, "::ffff:1.2.3.4", true},
    {stix_format_ipv6, "1:2:3:4:5:6:1.2.3.4", true},
    {stix_format_ipv6, "1:2:3:4:5:6:7:1.2.3.4", false},
    {stix_format_ipv6, "1:2:3:4:5:6:7", false},
    {stix_format_ipv6, "1:2:3:4:5:6:7:8:9", false},
    {stix_format_ipv6, "1::2::3", false},
    {stix_format_ipv6, ":1", false},
    {stix_format_ipv6, "1:", false},
    {stix_format_ipv6, "12345::", false},
    {stix_format_ipv6, "", false},
    {stix_format_domain, "example.com", true},
    {stix_format_domain, "_dmarc.example.com.", true},
    {stix_format_domain,
     "b\xc3\xbc"
     "cher.example",
     true},
    {stix_format_domain, "a..b", false},
    {stix_format_domain, "-a.b", false},
    {stix_format_domain, "a b", false},
    {stix_format_domain, ".", false},
    {stix_format_domain, "a/b", false},
    {stix_format_email, "jane.smith@example.com", true},
    {stix_format_email, "\"a b\"@example.com", true},
    {stix_format_email, "a@[192.0.2.1]", true},
    {stix_format_email, "@example.com", false},
    {stix_format_email, "a@", false},
    {stix_format_email, "a..b@example.com", false},
    {stix_format_email, "Jane <j@example.com>", false},
    {stix_format_url, "https://example.com/a?b=%20#c", true},
    {stix_format_url, "mailto:a@b.example", true},
    {stix_format_url, "foo", false},
    {stix_format_url, "http:", false},
    {stix_format_url, "://x", false},
    {stix_format_url, "http://a b/", false},
    {stix_format_url, "http://a/%2", false},
    {stix_format_url, "http://a/<x>", false},
    {stix_format_mime, "application/vnd.ms-excel", true},
    {stix_format_mime, "text/html; charset=UTF-8", true},
    {stix_format_mime, "text", false},
    {stix_format_mime, "text/", false},
    {stix_format_mime, "bla/x", false},
    {stix_format_charset, "utf-8", true},
    {stix_format_charset, "windows-1252", true},
    {stix_format_charset, "CP50220", true},
    {stix_format_charset, "", false},
    {stix_format_charset, "utf8", false},
    {stix_format_cpe, "cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*", true},
    {stix_format_cpe, "cpe:2.3:a:a\\:b:word:2000:*:*:*:*:*:*:*", true},
    {stix_format_cpe, "cpe:2.3:a:microsoft:word", false},
    {stix_format_cpe, "cpe:2.3:", false},
    {stix_format_cve, "CVE-2024-0001", true},
    {stix_format_cve, "CVE-2024-1234567", true},
    {stix_format_cve, "CVE-2024-001", false},
    {stix_format_cve, "cve-2024-0001", false},
    {stix_format_capec, "CAPEC-1", true},
    {stix_format_capec, "CAPEC-", false},
    {stix_format_mac, "00:00:ab:cd:ef:01", true},
    {stix_format_mac, "00-00-ab-cd-ef-01", false},
    {stix_format_base64, "", true},
    {stix_format_base64, "AA==", true},
    {stix_format_base64, "A===", false},
    {stix_format_base64, "AA=A", false},
    {stix_format_base64, "AA_-", false},
};

static void test_hashes(void)
{
    static const char tlsh[] =
        "T1c325af62e2f15cf7c32316389d1b57a46827be703d3879866bf52c385f396813829297";
    static const struct {
        const char *algorithm, *text;
        bool known, good;
    } table[] = {
        {"MD5", "d41d8cd98f00b204e9800998ecf8427e", true, true},
        {"MD5", "d41d8cd98f00b204e9800998ecf8427", true, false},
        {"SHA-1", "d41d8cd98f00b204e9800998ecf8427e", true, false},
        {"TLSH", tlsh, true, true},
        {"TLSH", tlsh + 2, true, true},
        {"TLSH", tlsh + 1, true, false},
        {"SSDEEP", "96:a:b", true, true},
        {"SSDEEP", "96:a", true, false},
        {"SSDEEP", "x:a:b", true, false},
        {"CRC", "anything", false, true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        bool known,
            good = stix_format_hash(str_of(table[i].algorithm), str_of(table[i].text), &known);
        CHECK_ROW(good == table[i].good && known == table[i].known, "%s %s", table[i].algorithm,
                  table[i].text);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(rows[i].ok(str_of(rows[i].text)) == rows[i].good, "row %zu: %s", i, rows[i].text);
    test_hashes();
    TEST_END();
}
