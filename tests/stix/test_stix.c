/* The facts of one object, names of markings and containers: tables of rows. */
#include "test.h"

#include "json/json.h"
#include "stix/stix.h"

static void test_tlp(void)
{
    static const struct {
        const char *text;
        enum stix_tlp tlp;
    } rows[] = {
        {"clear", STIX_TLP_CLEAR},
        {"TLP:WHITE", STIX_TLP_CLEAR},
        {"tlp:amber+strict", STIX_TLP_AMBER_STRICT},
        {"Red", STIX_TLP_RED},
        {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", STIX_TLP_AMBER},
        {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", STIX_TLP_CLEAR},
        {"none", STIX_TLP_NONE},
        {"tlp:", STIX_TLP_NONE},
        {"", STIX_TLP_NONE},
        {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b83", STIX_TLP_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum stix_tlp t = STIX_TLP_NONE;
        bool found = stix_tlp_parse(str_of(rows[i].text), &t);
        CHECK_ROW(found == (rows[i].tlp != STIX_TLP_NONE) && t == rows[i].tlp, "%s", rows[i].text);
    }
    for (int t = STIX_TLP_CLEAR; t < STIX_TLP_COUNT; t++)
        CHECK_ROW(stix_tlp_of_id(stix_tlp_id((enum stix_tlp)t)) == (enum stix_tlp)t, "%d", t);
    CHECK(stix_tlp_id(STIX_TLP_NONE).n == 0);
}

static void test_class(void)
{
    static const struct {
        const char *type;
        enum stix_class class;
    } rows[] = {
        {"indicator", STIX_SDO},
        {"vulnerability", STIX_SDO},
        {"sighting", STIX_SRO},
        {"artifact", STIX_SCO},
        {"x509-certificate", STIX_SCO},
        {"extension-definition", STIX_META},
        {"bundle", STIX_BUNDLE},
        {"x-thing", STIX_UNKNOWN},
        {"marking-definition", STIX_META},
        {"", STIX_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(stix_class_of(str_of(rows[i].type)) == rows[i].class, "%s", rows[i].type);
}

static void test_id(void)
{
    static const struct {
        const char *id;
        bool ok;
    } rows[] = {
        {"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", true},
        {"x-a1-b--8e2e2d2b-17d4-1cbf-a38f-98ee46b3cd3f", true},
        {"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", true},
        {"indicator--8e2e2d2b-17d4-6cbf-938f-98ee46b3cd3f", false},
        {"indicator--8e2e2d2b-17d4-4cbf-c38f-98ee46b3cd3f", false},
        {"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3", false},
        {"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f0", false},
        {"indicator--8e2e2d2b017d4-4cbf-938f-98ee46b3cd3f", false},
        {"indicator-8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"Indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"ab--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"1ab--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", false},
        {"indicator--", false},
        {"-", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = {0};
        struct str type = STR_NONE;
        bool ok = stix_id_parse(str_of(rows[i].id), &type, &e);
        CHECK_ROW(ok == rows[i].ok, "%s: %s", rows[i].id, e.msg);
        CHECK_ROW(ok || type.p == NULL, "%s: touched on failure", rows[i].id);
    }
}

int main(void)
{
    test_tlp();
    test_class();
    test_id();
    TEST_END();
}
