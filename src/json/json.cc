/* Reading: simdjson's on-demand parser walked once, every value checked and given its place. */
#include "json/json.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <new>

/* Errors are values here; nothing of this file may throw. */
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace od = simdjson::ondemand;

struct json_reader {
    od::parser parser;
};

namespace
{

struct walk {
    struct arena *arena;
    struct str text;
    od::document *doc;
    struct err *e;
    uint64_t seed;
    struct json *free_nodes; /* a slab of them, so that a node costs no call */
    size_t free_count;
};

bool fail(walk &w, size_t at, const char *why)
{
    return err_set_at(w.e, ERR_SYNTAX, at, "%s", why);
}

/* The library judges whole texts without saying where; a text that failed is read once more. */
size_t bad_utf8(struct str t)
{
    size_t at = 0, n = 0;
    for (; at < t.n; at += n) {
        unsigned char c = static_cast<unsigned char>(t.p[at]);
        n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        if (n > t.n - at || !utf8_valid(str_slice(t, at, at + n)))
            break;
    }
    return at;
}

/* A control character in a string, else the quote of a string without end. */
size_t bad_string(struct str t)
{
    size_t quote = t.n;
    bool inside = false;
    for (size_t i = 0; i < t.n; i++) {
        if (inside && static_cast<unsigned char>(t.p[i]) < 0x20)
            return i;
        if (inside && t.p[i] == '\\')
            i++;
        else if (t.p[i] == '"') {
            inside = !inside;
            quote = i;
        }
    }
    return inside ? quote : t.n;
}

size_t location(const walk &w)
{
    const char *where = nullptr;
    if (w.doc && w.doc->current_location().get(where) == simdjson::SUCCESS && where >= w.text.p &&
        where <= w.text.p + w.text.n)
        return size_t(where - w.text.p);
    return w.text.n;
}

const char bad_escape[] = "a string has an escape that JSON does not know or half of a surrogate "
                          "pair; write both halves or drop it";

/* simdjson's error in our words. */
bool fail(walk &w, simdjson::error_code code)
{
    switch (code) {
    case simdjson::MEMALLOC:
        return err_set(w.e, ERR_MEMORY, "out of memory");
    case simdjson::EMPTY:
        return fail(w, w.text.n, "there is no JSON in it; write an object or a bundle");
    case simdjson::UTF8_ERROR:
        return fail(w, bad_utf8(w.text), "this byte is no UTF-8; save the text as UTF-8");
    case simdjson::UNESCAPED_CHARS:
        return fail(w, bad_string(w.text),
                    "a control character inside of a string; write it as \\n, \\t or \\u00XX, or "
                    "close the string before it");
    case simdjson::UNCLOSED_STRING:
        return fail(w, bad_string(w.text), "a string does not end; add its closing quote");
    default:
        return fail(w, location(w),
                    "not JSON: a value, comma, colon or bracket is missing here "
                    "or is one too many");
    }
}

size_t offset(const walk &w, const char *p)
{
    return size_t(p - w.text.p);
}

bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the container that was just left: back from the next token over blanks. */
size_t container_end(walk &w)
{
    const char *next = nullptr;
    size_t end = w.text.n;
    if (w.doc->current_location().get(next) == simdjson::SUCCESS)
        end = offset(w, next);
    while (end > 0 && is_space(w.text.p[end - 1]))
        end--;
    return end;
}

/* Slabs grow with the text: small texts stay small. */
struct json *new_node(walk &w)
{
    if (w.free_count == 0) {
        size_t count = w.text.n / 64 + 1;
        count = count < 4 ? 4 : count > 1024 ? 1024 : count;
        void *slab = arena_alloc(w.arena, count * sizeof(struct json));
        if (!slab && !arena_ok(w.arena, w.e))
            return nullptr;
        w.free_nodes = static_cast<struct json *>(slab);
        w.free_count = count;
    }
    w.free_count--;
    return new (w.free_nodes++) json{};
}

/* RFC 7493 §2.1: strings hold no lone surrogates, so what simdjson unescaped must be UTF-8. */
bool keep_unescaped(walk &w, std::string_view s, size_t at, struct str *out)
{
    struct str text = {s.data(), s.size()};
    if (!utf8_valid(text))
        return fail(w, at, "a string holds a lone surrogate; write the pair or drop it");
    *out = arena_str(w.arena, text);
    return out->p || arena_ok(w.arena, w.e);
}

template <typename V> bool read_string(walk &w, V &v, struct json *n)
{
    size_t at = n->at;
    const char *first = w.text.p + at + 1;
    size_t bytes = n->end - at - 2;
    if (n->end - at < 2 || w.text.p[n->end - 1] != '"')
        return fail(w, at, "a string does not end");
    if (!memchr(first, '\\', bytes)) {
        od::raw_json_string raw;
        simdjson::error_code code = v.get_raw_json_string().get(raw);
        n->u.s = {first, bytes};
        return code ? fail(w, code) : true;
    }
    std::string_view unescaped;
    if (v.get_string().get(unescaped) != simdjson::SUCCESS)
        return fail(w, at, bad_escape);
    return keep_unescaped(w, unescaped, at, &n->u.s);
}

template <typename V> bool read_number(walk &w, V &v, struct json *n, std::string_view token)
{
    /* At the root the library would read the first 20 characters of a longer number alone. */
    bool whole = token.size() <= sizeof "-9223372036854775808" - 1 &&
                 token.find_first_of(".eE") == std::string_view::npos;
    if (whole && v.get_int64().get(n->u.i) == simdjson::SUCCESS) {
        n->type = JSON_INTEGER;
        return true;
    }
    n->type = JSON_NUMBER;
    simdjson::error_code code = v.get_double().get(n->u.d);
    if (code)
        return fail(w, n->at, "a number is malformed or beyond the range of a double");
    return true;
}

/* From the value's first byte to the next token; empty only where the library has none. */
std::string_view token_of(od::value &v)
{
    return v.raw_json_token();
}

std::string_view token_of(od::document &d)
{
    std::string_view token;
    return d.raw_json_token().get(token) ? std::string_view() : token;
}

template <typename V> bool read_scalar(walk &w, V &v, struct json *n, od::json_type type)
{
    simdjson::error_code code = simdjson::SUCCESS;
    std::string_view token = token_of(v);
    while (!token.empty() && is_space(token.back()))
        token.remove_suffix(1);
    if (token.empty())
        return fail(w, w.text.n, "a value is missing");
    n->at = uint32_t(offset(w, token.data()));
    n->end = uint32_t(n->at + token.size());
    if (type == od::json_type::string) {
        n->type = JSON_STRING;
        return read_string(w, v, n);
    }
    if (type == od::json_type::number)
        return read_number(w, v, n, token);
    if (type == od::json_type::boolean) {
        bool b = false;
        code = v.get_bool().get(b);
        n->type = b ? JSON_TRUE : JSON_FALSE;
        return code ? fail(w, code) : true;
    }
    n->type = JSON_NULL;
    if (token != "null")
        return fail(w, n->at, "not a JSON value");
    bool null = false;
    if (v.is_null().get(null) || !null)
        return fail(w, n->at, "not a JSON value");
    return true;
}

bool same_name_twice(walk &w, const struct json *member)
{
    return fail(w, member->key_at, "an object has two members of this name; keep one");
}

/* A filter of 64 bits says for nearly every name that it is new; else those before it are looked
 * at. For objects of at most `few` members, so that the worst case stays small. */
bool few_names_differ(walk &w, const struct json *object)
{
    uint64_t seen = 0;
    for (const struct json *m = object->u.child; m; m = m->next) {
        const char *p = m->key.p;
        size_t n = m->key.n;
        size_t mixed =
            n ? n * 5 + size_t(uint8_t(p[n / 2])) * 7 + size_t(uint8_t(p[n - 1])) * 3 : 0;
        uint64_t bit = uint64_t(1) << (mixed & 63);
        if (seen & bit)
            for (const struct json *before = object->u.child; before != m; before = before->next)
                if (str_eq(before->key, m->key))
                    return same_name_twice(w, m);
        seen |= bit;
    }
    return true;
}

/* RFC 7493 §2.3: names of one object are different. */
bool names_differ(walk &w, const struct json *object)
{
    constexpr uint32_t few = 64;
    if (object->count <= few)
        return few_names_differ(w, object);
    size_t room = 16;
    while (room < size_t(object->count) * 2)
        room *= 2;
    auto **slots = static_cast<const struct json **>(arena_calloc(w.arena, room, sizeof(void *)));
    if (!slots)
        return arena_ok(w.arena, w.e);
    for (const struct json *m = object->u.child; m; m = m->next) {
        size_t i = str_hash(m->key, w.seed) & (room - 1);
        for (; slots[i]; i = (i + 1) & (room - 1))
            if (str_eq(slots[i]->key, m->key))
                return same_name_twice(w, m);
        slots[i] = m;
    }
    return true;
}

bool read_value(walk &w, od::value v, struct json *n, unsigned depth);

bool read_key(walk &w, od::field &field, struct json *n)
{
    const char *raw = field.key().raw();
    n->key_at = uint32_t(offset(w, raw) - 1);
    const char *p = raw; /* names are short, and the library has seen their closing quotes */
    while (*p != '"' && *p != '\\' && p < w.text.p + w.text.n)
        p++;
    if (*p == '"') {
        n->key = {raw, size_t(p - raw)};
        return true;
    }
    std::string_view unescaped;
    if (field.unescaped_key().get(unescaped) != simdjson::SUCCESS)
        return fail(w, n->key_at, bad_escape);
    return keep_unescaped(w, unescaped, n->key_at, &n->key);
}

bool read_object(walk &w, od::object object, struct json *n, unsigned depth)
{
    const struct json **link = &n->u.child;
    n->type = JSON_OBJECT;
    for (auto entry : object) {
        od::field field;
        simdjson::error_code code = std::move(entry).get(field);
        if (code)
            return fail(w, code);
        struct json *m = new_node(w);
        if (!m || !read_key(w, field, m) || !read_value(w, field.value(), m, depth + 1))
            return false;
        *link = m;
        link = &m->next;
        n->count++;
    }
    n->end = uint32_t(container_end(w));
    return names_differ(w, n);
}

bool read_array(walk &w, od::array array, struct json *n, unsigned depth)
{
    const struct json **link = &n->u.child;
    n->type = JSON_ARRAY;
    for (auto entry : array) {
        od::value v;
        simdjson::error_code code = std::move(entry).get(v);
        if (code)
            return fail(w, code);
        struct json *m = new_node(w);
        if (!m || !read_value(w, v, m, depth + 1))
            return false;
        *link = m;
        link = &m->next;
        n->count++;
    }
    n->end = uint32_t(container_end(w));
    return true;
}

/* Recursion is bounded by LIMIT_JSON_DEPTH. */
bool read_value(walk &w, od::value v, struct json *n, unsigned depth)
{
    od::json_type type;
    simdjson::error_code code = v.type().get(type);
    if (code)
        return fail(w, code);
    if (type != od::json_type::object && type != od::json_type::array)
        return read_scalar(w, v, n, type);
    const char *here = nullptr;
    if (v.current_location().get(here) == simdjson::SUCCESS)
        n->at = uint32_t(offset(w, here));
    if (depth >= LIMIT_JSON_DEPTH)
        return err_set_at(w.e, ERR_LIMIT, n->at, "nested deeper than %d levels", LIMIT_JSON_DEPTH);
    if (type == od::json_type::object) {
        od::object object;
        code = v.get_object().get(object);
        return code ? fail(w, code) : read_object(w, object, n, depth);
    }
    od::array array;
    code = v.get_array().get(array);
    return code ? fail(w, code) : read_array(w, array, n, depth);
}

bool read_document(walk &w, struct json *n)
{
    od::json_type type;
    simdjson::error_code code = w.doc->type().get(type);
    if (code)
        return fail(w, code);
    if (type != od::json_type::object && type != od::json_type::array)
        return read_scalar(w, *w.doc, n, type);
    od::value root;
    code = w.doc->get_value().get(root);
    if (code)
        return fail(w, code);
    if (!read_value(w, root, n, 0))
        return false;
    const char *more = nullptr;
    if (w.doc->current_location().get(more) == simdjson::SUCCESS)
        return fail(w, offset(w, more), "more text follows the JSON value");
    return true;
}

uint64_t process_seed()
{
    static const uint64_t seed = [] {
        uint64_t s;
        base_random(&s, sizeof s);
        return s;
    }();
    return seed;
}

} // namespace

struct json_reader *json_reader_new(void)
{
    return new (std::nothrow) json_reader;
}

void json_reader_free(struct json_reader *r)
{
    delete r;
}

bool json_parse(struct json_reader *r, struct arena *arena, struct str text, bool padded,
                const struct json **out, struct err *e)
{
    static_assert(BASE_PADDING >= simdjson::SIMDJSON_PADDING, "padding of the library");
    if (text.n > LIMIT_JSON_TEXT_BYTES)
        return err_set(e, ERR_LIMIT, "one JSON text of more than 4 GiB; cut it into several files");
    if (!padded) {
        auto *copy = static_cast<char *>(arena_alloc(arena, text.n + BASE_PADDING));
        if (!copy)
            return arena_ok(arena, e);
        if (text.n)
            memcpy(copy, text.p, text.n);
        memset(copy + text.n, 0, BASE_PADDING);
        text.p = copy;
    }
    if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0)
        return err_set_at(e, ERR_SYNTAX, 0, "not JSON: begins with a byte order mark; remove it");
    if (text.n >= 2 && (text.p[0] == 0 || text.p[1] == 0 || memcmp(text.p, "\xFF\xFE", 2) == 0 ||
                        memcmp(text.p, "\xFE\xFF", 2) == 0))
        return err_set_at(e, ERR_SYNTAX, 0, "the text is UTF-16 or UTF-32; save it as UTF-8");
    od::document doc;
    walk w = {arena, text, nullptr, e, process_seed(), nullptr, 0};
    simdjson::error_code code =
        r->parser.iterate(simdjson::padded_string_view(text.p, text.n, text.n + BASE_PADDING))
            .get(doc);
    if (code)
        return fail(w, code);
    w.doc = &doc;
    struct json *root = new_node(w);
    if (!root || !read_document(w, root))
        return false;
    *out = root;
    return true;
}

/* ECMAScript's Number::toString (RFC 8785 §3.2.2.3) from the shortest digits that round-trip. */
extern "C" void json_put_double(struct buf *out, double d)
{
    char text[40], digits[24] = "";
    if (d == 0) {
        buf_byte(out, '0');
        return;
    }
    if (d < 0)
        buf_byte(out, '-');
    auto end =
        std::to_chars(text, text + sizeof text - 1, std::fabs(d), std::chars_format::scientific);
    *end.ptr = '\0';
    int exponent = 0, n = 0;
    for (const char *p = text; p < end.ptr; p++) {
        if (*p == 'e') {
            exponent = int(strtol(p + 1, nullptr, 10));
            break;
        }
        if (*p != '.')
            digits[n++] = *p;
    }
    int point = exponent + 1; /* digits before the decimal point */
    if (n <= point && point <= 21) {
        buf_put(out, digits, size_t(n));
        for (int i = n; i < point; i++)
            buf_byte(out, '0');
    } else if (0 < point && point <= 21) {
        buf_put(out, digits, size_t(point));
        buf_byte(out, '.');
        buf_put(out, digits + point, size_t(n - point));
    } else if (-6 < point && point <= 0) {
        buf_lit(out, "0.");
        for (int i = point; i < 0; i++)
            buf_byte(out, '0');
        buf_put(out, digits, size_t(n));
    } else {
        buf_byte(out, digits[0]);
        if (n > 1) {
            buf_byte(out, '.');
            buf_put(out, digits + 1, size_t(n - 1));
        }
        buf_printf(out, "e%c%d", point > 0 ? '+' : '-', point > 0 ? point - 1 : 1 - point);
    }
}
