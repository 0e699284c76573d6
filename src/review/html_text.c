/* Text that came from others, on a page. */
#include "review/html.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static const char *reference_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Length of a character at s that must not stand on a page: a control, or a mark of direction
 * (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), in valid UTF-8; 0: it may. */
static size_t unfit(const unsigned char *s, size_t n)
{
    if ((s[0] < 0x20 && s[0] != '\n' && s[0] != '\t') || s[0] == 0x7F)
        return 1;
    if (n >= 2 && ((s[0] == 0xC2 && s[1] < 0xA0) || (s[0] == 0xD8 && s[1] == 0x9C)))
        return 2;
    if (n >= 3 && s[0] == 0xE2 && s[1] == 0x80 &&
        (s[2] == 0x8E || s[2] == 0x8F || (s[2] >= 0xAA && s[2] <= 0xAE)))
        return 3;
    if (n >= 3 && s[0] == 0xE2 && s[1] == 0x81 && s[2] >= 0xA6 && s[2] <= 0xA9)
        return 3;
    return 0;
}

void html_text(struct buf *b, struct str s)
{
    size_t from = 0;
    if (!utf8_valid(s)) {
        buf_lit(b, REPLACEMENT);
        return;
    }
    for (size_t i = 0; i < s.n;) {
        const char *reference = reference_of(s.p[i]);
        size_t bad = unfit((const unsigned char *)s.p + i, s.n - i);
        if (!reference && !bad) {
            i++;
            continue;
        }
        buf_put(b, s.p + from, i - from);
        buf_lit(b, reference ? reference : REPLACEMENT);
        i += bad ? bad : 1;
        from = i;
    }
    if (s.n > from)
        buf_put(b, s.p + from, s.n - from);
}

void html_paragraphs(struct buf *b, struct str s)
{
    while (s.n) {
        struct str line = str_trim(str_cut(&s, '\n'));
        if (!line.n)
            continue;
        buf_lit(b, "<p>");
        html_text(b, line);
        buf_lit(b, "</p>\n");
    }
}

void html_lang(struct buf *b, struct str tag)
{
    bool good = tag.n > 0 && tag.n <= 35;
    for (size_t i = 0; good && i < tag.n; i++) {
        char c = tag.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (i > 0 && ((c >= '0' && c <= '9') || c == '-'));
    }
    buf_str(b, good ? tag : STR("und"));
}

void html_lang_attribute(struct buf *b, struct str tag)
{
    buf_lit(b, " lang=\"");
    html_lang(b, tag);
    buf_byte(b, '"');
}

void html_side(struct buf *b, const struct policy_party *party)
{
    html_text(b, party->nation);
    buf_lit(b, " (");
    html_text(b, party->org);
    buf_byte(b, ')');
}
