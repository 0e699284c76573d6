/*
 * A review as one page: agreed text first, in each of its languages, the two sides in two columns,
 * states in words, numbers second. It needs no script, image or font, and prints as it stands.
 */
#include "review/html.h"
#include "crypt/crypt.h"

static const char style[] =
    "body{font:11pt/1.45 \"Noto Sans\",\"Noto Sans CJK JP\",\"Noto Sans JP\",\"Noto Sans "
    "Devanagari\",system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:60rem;"
    "margin:1.5rem auto;padding:0 1rem}\n"
    "h1{font-size:1.7em;margin:0 0 .3em}h2{font-size:1.3em;border-bottom:2px solid #1f3a5f;"
    "margin:2em 0 .6em;break-after:avoid}h3{font-size:1.05em;margin:1.2em 0 .3em;"
    "break-after:avoid}\n"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:0 2rem}\n"
    ".pair .tag{margin:.2em 0;font-size:.85em;color:#444}.pair p{margin:.3em 0}.pair "
    ".tag{font-weight:bold}\n"
    "table{border-collapse:collapse;width:100%;margin:.6em 0 1.2em;break-inside:auto}\n"
    "caption{text-align:left;font-weight:bold;margin-bottom:.3em}\n"
    "th,td{border:1px solid #767676;padding:.3em .5em;text-align:left;vertical-align:top}\n"
    "thead th{background:#e8edf3}tr{break-inside:avoid}td p{margin:.15em 0}\n"
    ".sides{table-layout:fixed}.sides thead td{width:30%}\n"
    ".what{display:block;font-weight:normal;font-size:.85em;color:#444}\n"
    ".state{font-weight:bold;border:1px solid #1a1a1a;padding:0 .4em;white-space:nowrap}\n"
    ".slipped{background:#1a1a1a;color:#fff}\n"
    ".promise{border-left:4px solid #1f3a5f;padding-left:1rem;margin:1.5em 0}\n"
    "ul.records{font-size:.75em;columns:2;padding-left:1.2em}\n"
    "li,pre,code{overflow-wrap:anywhere}pre{white-space:pre-wrap;font-size:.75em;"
    "border:1px solid #767676;padding:.5em}\n"
    "figure{margin:1em 0;break-inside:avoid}svg{max-width:100%;height:auto}svg "
    "text{font-size:11px;fill:#1a1a1a}\n"
    "svg .label{text-anchor:end}.bar0{fill:#1f3a5f}.bar1{fill:#b3541e}"
    ".key0{border-bottom:4px solid #1f3a5f}.key1{border-bottom:4px solid #b3541e}\n"
    ".far{position:absolute;left:-9999px}a{color:#0b4a8f}\n"
    "#own{border-top:6px double #1f3a5f;margin-top:3em}\n"
    "@media print{body{max-width:none;margin:0;padding:0;font-size:9.5pt}a{color:inherit}"
    "#own{break-before:page}}\n"
    "@page{size:A4;margin:18mm 16mm}\n";

/* ---- texts by language ---- */

static void put_language(struct buf *b, struct str tag)
{
    static const char *const known[][2] = {{"en", "English"}, {"ja", "日本語"}, {"hi", "हिन्दी"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(tag, str_of(known[i][0]))) {
            buf_lit(b, known[i][1]);
            return;
        }
    html_lang(b, tag);
}

static void put_one_text(struct buf *b, const struct json *v)
{
    buf_lit(b, "<div");
    html_lang_attribute(b, v->key);
    buf_lit(b, "><p class=\"tag\">");
    put_language(b, v->key);
    buf_lit(b, "</p>\n");
    html_paragraphs(b, v->u.s);
    buf_lit(b, "</div>\n");
}

/* English first, then the others as they stand. */
static void put_texts(struct buf *b, const struct json *texts)
{
    if (!json_is(texts, JSON_OBJECT))
        return;
    buf_lit(b, "<div class=\"pair\">\n");
    for (int rest = 0; rest < 2; rest++)
        for (const struct json *v = texts->u.child; v; v = v->next)
            if (json_is(v, JSON_STRING) && (str_eq(v->key, STR("en")) ? rest == 0 : rest == 1))
                put_one_text(b, v);
    buf_lit(b, "</div>\n");
}

/* Each language of a title on a line of its own. */
static void put_title(struct buf *b, const struct json *title)
{
    for (const struct json *v = json_is(title, JSON_OBJECT) ? title->u.child : NULL; v;
         v = v->next) {
        if (!json_is(v, JSON_STRING))
            continue;
        buf_lit(b, "<p");
        html_lang_attribute(b, v->key);
        buf_lit(b, "><strong>");
        html_text(b, v->u.s);
        buf_lit(b, "</strong></p>\n");
    }
}

/* ---- head ---- */

static void put_facts(struct buf *b, const struct review *r)
{
    char text[INSTANT_TEXT_BYTES];
    buf_lit(b, "<p>Between ");
    html_side(b, &r->parties[0]);
    buf_lit(b, " and ");
    html_side(b, &r->parties[1]);
    buf_lit(b, ". As of <time>");
    buf_str(b, words_instant(r->facts->as_of_us, text));
    buf_lit(b, "</time>; counted from <time>");
    buf_str(b, words_instant(r->window.from_us + 1, text));
    buf_printf(b,
               "</time>. Counts from 1 to %d of what could point to one incident are written as "
               "fewer than %d and open no records.</p>\n",
               LIMIT_REVIEW_FLOOR - 1, LIMIT_REVIEW_FLOOR);
}

static void put_agreed(struct buf *b, const struct review *r)
{
    const struct json *statement = json_get(r->round->json, STR("statement"));
    buf_lit(b, "<h2>Agreed text</h2>\n<h3>Instrument</h3>\n");
    put_title(b, json_get(r->instrument->json, STR("title")));
    put_texts(b, json_get(r->instrument->json, STR("text")));
    buf_lit(b, "<h3>Statement of the round</h3>\n");
    if (statement)
        put_texts(b, statement);
    else
        buf_lit(b, "<p>The round has no statement that both sides hold.</p>\n");
}

/* ---- the round ---- */

static void put_row(struct buf *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_printf(b, "<tr><th scope=\"row\">%s</th><td colspan=\"2\">", name);
    html_text(b, value);
    buf_lit(b, "</td></tr>\n");
}

static void put_list(struct buf *b, const struct json *list)
{
    bool first = true;
    for (const struct json *v = list ? list->u.child : NULL; v; v = v->next) {
        if (!json_is(v, JSON_STRING))
            continue;
        buf_lit(b, first ? "" : ", ");
        html_text(b, v->u.s);
        first = false;
    }
    if (first)
        buf_lit(b, "none named");
}

static void put_heads(struct buf *b, const struct json *heads, struct str side)
{
    bool first = true;
    for (const struct json *v = json_is(heads, JSON_ARRAY) ? heads->u.child : NULL; v;
         v = v->next) {
        struct str title = json_get_str(v, STR("title"));
        struct str office = json_get_str(v, STR("organisation"));
        if (!str_eq(json_get_str(v, STR("side")), side))
            continue;
        buf_lit(b, first ? "" : "; ");
        html_text(b, json_get_str(v, STR("name")));
        if (title.n) {
            buf_lit(b, ", ");
            html_text(b, title);
        }
        if (office.n) {
            buf_lit(b, ", ");
            html_text(b, office);
        }
        first = false;
    }
    if (first)
        buf_lit(b, "none named");
}

static void put_sides_head(struct buf *b, const struct review *r, const char *caption)
{
    buf_printf(b, "<table class=\"sides\">\n<caption>%s</caption>\n<thead><tr><td></td>", caption);
    for (size_t c = 0; c < 2; c++) {
        buf_lit(b, "<th scope=\"col\">");
        html_side(b, &r->parties[c]);
        buf_lit(b, "</th>");
    }
    buf_lit(b, "</tr></thead>\n<tbody>\n");
}

static void put_round(struct buf *b, const struct review *r)
{
    const struct json *v = r->round->json;
    const struct json *next = json_get(v, STR("next_round"));
    buf_lit(b, "<h2>The round</h2>\n");
    put_sides_head(b, r, "What both sides hold of the round");
    put_row(b, "Date", json_get_str(v, STR("date")));
    put_row(b, "Last day", json_get_str(v, STR("date_end")));
    put_row(b, "Mode", json_get_str(v, STR("mode")));
    put_row(b, "Place", json_get_str(v, STR("place")));
    put_row(b, "Host", json_get_str(v, STR("host")));
    buf_lit(b, "<tr><th scope=\"row\">Heads</th>");
    for (size_t c = 0; c < 2; c++) {
        buf_lit(b, "<td>");
        put_heads(b, json_get(v, STR("heads")), r->parties[c].nation);
        buf_lit(b, "</td>");
    }
    buf_lit(b, "</tr>\n<tr><th scope=\"row\">Agencies</th>");
    for (size_t c = 0; c < 2; c++) {
        buf_lit(b, "<td>");
        put_list(b, model_names(json_get(v, STR("agencies")), r->parties[c].nation));
        buf_lit(b, "</td>");
    }
    buf_lit(b, "</tr>\n");
    put_row(b, "Next round, date", json_get_str(next, STR("date")));
    put_row(b, "Next round, place", json_get_str(next, STR("place")));
    buf_lit(b, "</tbody>\n</table>\n");
}

/* ---- commitments ---- */

static void put_state(struct buf *b, enum review_state s)
{
    buf_printf(b, "<span class=\"state%s\">%s</span>", model_is_slipped(s) ? " slipped" : "",
               review_state_words(s));
}

/* All that a side has said, the last first: earlier words stay. */
static void put_said(struct buf *b, const struct model_commitment *c, size_t column)
{
    bool any = false;
    for (size_t i = c->assessment_count; i-- > 0;) {
        const struct model_assessment *a = &c->assessments[i];
        char text[INSTANT_TEXT_BYTES];
        if (a->column != column)
            continue;
        buf_lit(b, any ? "<p>Earlier: " : "<p>");
        buf_printf(b, "<strong>%s</strong> (", review_state_words(a->state));
        buf_str(b, words_instant(a->at_us, text));
        buf_lit(b, ")</p>\n");
        if (!any)
            put_texts(b, json_get(a->said->json, STR("text")));
        any = true;
    }
    if (!any)
        buf_lit(b, "<p>nothing said</p>");
}

static void put_target(struct buf *b, const struct model_aim *a)
{
    const struct json *target = json_get(a->said->json, STR("target"));
    if (target) {
        buf_lit(b, str_eq(json_get_str(a->said->json, STR("direction")), STR("at-most"))
                       ? "; at most "
                       : "; at least ");
        html_text(b, json_source(a->said->text, target));
        buf_printf(b, " %s", review_unit_name(a->measure->unit));
    }
    buf_lit(b, " in ");
    html_text(b, json_source(a->said->text, json_get(a->said->json, STR("window_days"))));
    buf_lit(b, " days");
}

static void put_aim(struct buf *b, const struct model_aim *a)
{
    static const char *const words[] = {"not decided by it", "not begun", "short of it", "reached",
                                        "reached late"};
    buf_printf(b, "<tr><th scope=\"row\">%s <span class=\"what\">%s", a->measure->name,
               a->measure->what);
    put_target(b, a);
    buf_lit(b, ": ");
    html_text(b, a->unknown ? str_of(a->unknown) : str_of(words[a->reach]));
    buf_lit(b, "</span></th>");
    for (size_t c = 0; c < 2; c++) {
        buf_lit(b, "<td>");
        if (a->counted)
            html_number(b, a->measure, &a->numbers[c]);
        else
            buf_lit(b, "not counted here");
        buf_lit(b, "</td>");
    }
    buf_lit(b, "</tr>\n");
}

static void put_commitment(struct buf *b, const struct review *r, size_t i)
{
    const struct model_commitment *c = &r->commitments[i];
    struct str paragraph = json_get_str(c->said->json, STR("paragraph"));
    struct str due = json_get_str(c->said->json, STR("due"));
    const struct json *norms = json_get(c->said->json, STR("norms"));
    buf_printf(b, "<article class=\"promise\" id=\"commitment-%zu\">\n<h3>%zu. ", i + 1, i + 1);
    html_text(b, paragraph.n ? paragraph : STR("Commitment"));
    buf_lit(b, " ");
    put_state(b, c->state);
    buf_lit(b, "</h3>\n");
    put_texts(b, json_get(c->said->json, STR("text")));
    buf_lit(b, "<p>");
    html_text(b, json_get_str(c->said->json, STR("kind")));
    buf_lit(b, due.n ? "; due " : "; no due date");
    html_text(b, due);
    if (norms) {
        buf_lit(b, "; norms ");
        put_list(b, norms);
    }
    if (c->successor) {
        buf_lit(b, "; superseded by ");
        html_text(b, c->successor->id);
    }
    buf_lit(b, "</p>\n");
    put_sides_head(b, r, "What each side says and shows");
    buf_lit(b, "<tr><th scope=\"row\">Owners</th>");
    for (size_t k = 0; k < 2; k++) {
        buf_lit(b, "<td>");
        put_list(b, model_names(json_get(c->said->json, STR("owners")), r->parties[k].nation));
        buf_lit(b, "</td>");
    }
    buf_lit(b, "</tr>\n<tr><th scope=\"row\">Assessment</th>");
    for (size_t k = 0; k < 2; k++) {
        buf_lit(b, "<td>");
        put_said(b, c, k);
        buf_lit(b, "</td>");
    }
    buf_lit(b, "</tr>\n");
    for (size_t k = 0; k < c->aim_count; k++)
        put_aim(b, &c->aims[k]);
    buf_lit(b, "</tbody>\n</table>\n</article>\n");
}

static void put_commitments(struct buf *b, const struct review *r)
{
    buf_lit(b, "<h2>Commitments</h2>\n");
    if (!r->commitment_count)
        buf_lit(b, "<p>Both sides hold no commitment of this round or one before it.</p>\n");
    for (size_t i = 0; i < r->commitment_count; i++)
        put_commitment(b, r, i);
}

static void put_slipped(struct buf *b, const struct review *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->commitment_count; i++)
        count += model_is_slipped(r->commitments[i].state);
    buf_lit(b, "<h2>What slipped</h2>\n");
    if (!count) {
        buf_lit(b, "<p>Nothing slipped, lapsed, was met late or is disputed.</p>\n");
        return;
    }
    buf_lit(b, "<ul>\n");
    for (size_t i = 0; i < r->commitment_count; i++) {
        const struct model_commitment *c = &r->commitments[i];
        struct str paragraph = json_get_str(c->said->json, STR("paragraph"));
        struct str due = json_get_str(c->said->json, STR("due"));
        if (!model_is_slipped(c->state))
            continue;
        buf_printf(b, "<li><a href=\"#commitment-%zu\">%zu. ", i + 1, i + 1);
        html_text(b, paragraph.n ? paragraph : STR("Commitment"));
        buf_printf(b, "</a>: %s", review_state_words(c->state));
        if (due.n) {
            buf_lit(b, ", due ");
            html_text(b, due);
        }
        buf_lit(b, "</li>\n");
    }
    buf_lit(b, "</ul>\n");
}

/* ---- what it rests on ---- */

static void put_basis(struct buf *b, const struct review *r)
{
    unsigned char digest[CRYPT_SHA256_BYTES];
    struct buf shared;
    buf_init(&shared, LIMIT_REVIEW_OUTPUT_BYTES);
    json_shared(r, &shared);
    if (shared.failed)
        b->failed = shared.failed;
    crypt_sha256(buf_view(&shared), digest);
    buf_done(&shared);
    buf_lit(b, "<h2>What this part rests on</h2>\n");
    if (r->finding_count) {
        buf_lit(b, "<ul>\n");
        for (size_t i = 0; i < r->finding_count; i++) {
            buf_lit(b, "<li>");
            html_text(b, r->findings[i]);
            buf_lit(b, "</li>\n");
        }
        buf_lit(b, "</ul>\n");
    }
    buf_printf(b,
               "<p>%zu statements of the dialogue that both sides hold; the JSON form lists them "
               "with their digests. All objects that both hold: <code>%s</code>. This part in its "
               "JSON form: <code>",
               r->basis_count, r->objects_digest);
    buf_hex(b, digest, sizeof digest);
    buf_lit(b, "</code>. On the other side's node the same as-of instant gives the same digests, "
               "once both have what the other released.</p>\n");
}

static void put_shared(struct buf *b, const struct review *r)
{
    buf_lit(b, "<section id=\"shared\" aria-labelledby=\"title\">\n<h1 id=\"title\">Review of "
               "round ");
    html_text(b, r->ordinal);
    buf_lit(b, "</h1>\n<p>");
    html_text(b, json_get_str(r->round->json, STR("series")));
    buf_lit(b, "</p>\n");
    put_facts(b, r);
    put_agreed(b, r);
    put_round(b, r);
    put_commitments(b, r);
    put_slipped(b, r);
    buf_lit(b, "<h2>Numbers</h2>\n");
    html_numbers(b, r, true);
    buf_lit(b, "<h2>Norms</h2>\n");
    html_norms(b, r);
    put_basis(b, r);
    buf_lit(b, "<h2>Records behind the numbers</h2>\n");
    html_evidence(b, r, true);
    buf_lit(b, "</section>\n");
}

/* ---- what this node alone says ---- */

static void put_note(struct buf *b, const char *title, struct str note, const char *without)
{
    buf_printf(b, "<h3>%s</h3>\n", title);
    if (!note.n) {
        buf_printf(b, "<p>%s</p>\n", without);
        return;
    }
    buf_lit(b, "<pre>");
    html_text(b, note);
    buf_lit(b, "</pre>\n");
}

static void put_own(struct buf *b, const struct review *r)
{
    const struct store_witness *w = r->facts->witness;
    buf_lit(b, "<section id=\"own\" aria-labelledby=\"own-title\">\n<h2 id=\"own-title\">What the "
               "node of ");
    html_side(b, &r->facts->home);
    buf_lit(b, " counts alone</h2>\n<p>This part is of one node, as ");
    html_side(b, &r->facts->reader);
    buf_lit(b, " may see it; the other side's review has its own.</p>\n");
    html_numbers(b, r, false);
    buf_lit(b, "<h2>Ledgers</h2>\n");
    buf_printf(b, "<p>Counted up to leaf %llu of this node's ledger.</p>\n",
               (unsigned long long)r->facts->leaves);
    put_note(b, "This node's ledger, now", r->checkpoint, "none");
    put_note(b, "This node's ledger, as the other side last countersigned it", w->cosigned,
             "The other side has not countersigned it yet.");
    put_note(b, "The other side's ledger, as this node last countersigned it", w->seen,
             "This node has not seen it yet.");
    buf_lit(b, "<h2>Records behind these numbers</h2>\n");
    html_evidence(b, r, false);
    buf_lit(b, "</section>\n");
}

bool review_html(const struct review *r, struct buf *out, struct err *e)
{
    buf_lit(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "style-src 'unsafe-inline'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Review of round ");
    html_text(out, r->ordinal);
    buf_lit(out, ", ");
    html_text(out, json_get_str(r->round->json, STR("series")));
    buf_lit(out, "</title>\n<style>\n");
    buf_lit(out, style);
    buf_lit(out, "</style>\n</head>\n<body>\n<main>\n");
    put_shared(out, r);
    put_own(out, r);
    buf_lit(out, "</main>\n</body>\n</html>\n");
    return buf_ok(out, e);
}
