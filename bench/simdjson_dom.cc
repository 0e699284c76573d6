/* simdjson alone, as the limit of bench/check.c: its DOM parser, warm, on padded bytes. */
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

static simdjson::dom::parser parser;

extern "C" bool simdjson_dom(const char *text, size_t n)
{
    simdjson::dom::element root;
    return parser.parse(text, n, false).get(root) == simdjson::SUCCESS;
}
