/* Numbers on the page: tables, small charts, and the lists of records that they were counted
 * from. */
#include "review/html.h"

static bool opens(const struct review_number *n)
{
    return n->outcome == REVIEW_COUNTED && n->evidence_count > 0;
}

void html_number(struct buf *b, const struct review_measure *m, const struct review_number *n)
{
    struct buf words;
    buf_init(&words, 0);
    words_number(&words, m, n);
    html_text(b, buf_view(&words));
    if (words.failed)
        b->failed = words.failed;
    buf_done(&words);
}

static void put_place(struct buf *b, const struct review *r, const struct review_measure *m,
                      size_t column)
{
    buf_printf(b, "records-%s-", m->name);
    html_text(b, r->parties[column].nation);
}

static void put_cell(struct buf *b, const struct review *r, const struct review_measure *m,
                     size_t column)
{
    const struct review_number *n = &r->numbers[m->id][column];
    buf_lit(b, "<td>");
    html_number(b, m, n);
    if (opens(n)) {
        buf_lit(b, " <a href=\"#");
        put_place(b, r, m, column);
        buf_printf(b, "\">records<span class=\"far\"> of %s, ", m->name);
        html_text(b, r->parties[column].nation);
        buf_lit(b, "</span></a>");
    }
    buf_lit(b, "</td>");
}

/* ---- charts ---- */

enum { BAR_LEFT = 190, BAR_WIDTH = 330, BAR_HEIGHT = 12, ROW_HEIGHT = 34 };

/* Parts of the two columns side by side: those of one label stand in one row. */
struct chart_row {
    struct str label, more;
    const struct review_part *parts[2];
};

static int cmp_part(const struct review_part *a, const struct review_part *b)
{
    int order = str_cmp(a->label, b->label);
    return order ? order : str_cmp(a->more, b->more);
}

static size_t chart_rows(const struct review_number numbers[2], struct chart_row *rows,
                         uint64_t *most)
{
    size_t i = 0, k = 0, n = 0;
    *most = 1;
    while ((i < numbers[0].part_count || k < numbers[1].part_count) &&
           n < LIMIT_REVIEW_CHART_ROWS) {
        const struct review_part *x = i < numbers[0].part_count ? &numbers[0].parts[i] : NULL;
        const struct review_part *y = k < numbers[1].part_count ? &numbers[1].parts[k] : NULL;
        int order = !x ? 1 : !y ? -1 : cmp_part(x, y);
        const struct review_part *first = order <= 0 ? x : y;
        must(first);
        rows[n] = (struct chart_row){
            first->label, first->more, {order <= 0 ? x : NULL, order >= 0 ? y : NULL}};
        for (size_t c = 0; c < 2; c++)
            if (rows[n].parts[c] && rows[n].parts[c]->cases > *most)
                *most = rows[n].parts[c]->cases;
        i += order <= 0;
        k += order >= 0;
        n++;
    }
    return n;
}

static void put_cases(struct buf *b, const struct review_part *p)
{
    if (p && p->floored)
        buf_printf(b, "fewer than %d", LIMIT_REVIEW_FLOOR);
    else
        buf_u64(b, p ? p->cases : 0);
}

static void put_bar(struct buf *b, const struct review_part *p, size_t column, size_t row,
                    uint64_t most)
{
    size_t y = row * ROW_HEIGHT + 2 + column * (BAR_HEIGHT + 2);
    uint64_t width = p ? p->cases * BAR_WIDTH / most : 0;
    if (p && p->cases && width == 0)
        width = 1;
    buf_printf(b, "<rect class=\"bar%zu\" x=\"%d\" y=\"%zu\" width=\"%llu\" height=\"%d\"/>",
               column, BAR_LEFT, y, (unsigned long long)width, BAR_HEIGHT);
    buf_printf(b, "<text x=\"%llu\" y=\"%zu\">", (unsigned long long)width + BAR_LEFT + 4,
               y + BAR_HEIGHT - 2);
    put_cases(b, p);
    buf_lit(b, "</text>");
}

static void put_label(struct buf *b, const struct chart_row *row)
{
    html_text(b, row->label);
    if (row->more.n) {
        buf_lit(b, ", ");
        html_text(b, row->more);
    }
}

/* What the picture shows, for who does not see it. */
static void put_description(struct buf *b, const struct review *r, const struct chart_row *rows,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_label(b, &rows[i]);
        for (size_t c = 0; c < 2; c++) {
            buf_lit(b, c ? ", " : ": ");
            html_text(b, r->parties[c].nation);
            buf_byte(b, ' ');
            put_cases(b, rows[i].parts[c]);
        }
        buf_lit(b, "; ");
    }
}

static void put_chart(struct buf *b, const struct review *r, const struct review_measure *m)
{
    struct chart_row rows[LIMIT_REVIEW_CHART_ROWS];
    uint64_t most;
    size_t count = chart_rows(r->numbers[m->id], rows, &most);
    if (!count)
        return;
    buf_printf(b,
               "<figure>\n<svg role=\"img\" aria-labelledby=\"chart-%s chart-%s-text\" "
               "viewBox=\"0 0 640 %zu\" width=\"640\" height=\"%zu\">\n<title "
               "id=\"chart-%s\">%s by kind and side</title>\n<desc id=\"chart-%s-text\">",
               m->name, m->name, count * ROW_HEIGHT, count * ROW_HEIGHT, m->name, m->name, m->name);
    put_description(b, r, rows, count);
    buf_lit(b, "</desc>\n");
    for (size_t i = 0; i < count; i++) {
        buf_printf(b, "<text class=\"label\" x=\"%d\" y=\"%zu\">", BAR_LEFT - 8,
                   i * ROW_HEIGHT + 20);
        put_label(b, &rows[i]);
        buf_lit(b, "</text>");
        for (size_t c = 0; c < 2; c++)
            put_bar(b, rows[i].parts[c], c, i, most);
        buf_byte(b, '\n');
    }
    buf_printf(b, "</svg>\n<figcaption>%s, by kind: upper bars <span class=\"key0\">", m->name);
    html_side(b, &r->parties[0]);
    buf_lit(b, "</span>, lower bars <span class=\"key1\">");
    html_side(b, &r->parties[1]);
    buf_lit(b, "</span>.</figcaption>\n</figure>\n");
}

/* ---- tables ---- */

void html_numbers(struct buf *b, const struct review *r, bool shared)
{
    buf_printf(b, "<table>\n<caption>%s</caption>\n<thead><tr><th scope=\"col\">Measure</th>",
               shared ? "Counted from what both sides hold" : "Counted by this node alone");
    for (size_t c = 0; c < 2; c++) {
        buf_lit(b, "<th scope=\"col\">");
        html_side(b, &r->parties[c]);
        buf_lit(b, "</th>");
    }
    buf_lit(b, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < REVIEW_MEASURE_COUNT; i++) {
        const struct review_measure *m = review_measure((enum review_measure_id)i);
        if (m->shared != shared)
            continue;
        buf_printf(b, "<tr><th scope=\"row\">%s <span class=\"what\">%s</span></th>", m->name,
                   m->what);
        for (size_t c = 0; c < 2; c++)
            put_cell(b, r, m, c);
        buf_lit(b, "</tr>\n");
    }
    buf_lit(b, "</tbody>\n</table>\n");
    for (size_t i = 0; i < REVIEW_MEASURE_COUNT; i++)
        if (review_measure((enum review_measure_id)i)->shared == shared)
            put_chart(b, r, review_measure((enum review_measure_id)i));
}

static void put_record(struct buf *b, const struct review_measure *m,
                       const struct review_evidence *v)
{
    buf_lit(b, "<li>");
    html_text(b, v->id);
    if (v->index != REVIEW_NO_INDEX)
        buf_printf(b, ", leaf %llu", (unsigned long long)v->index);
    if (m->unit == REVIEW_SECONDS_UNIT) {
        buf_lit(b, ": ");
        words_seconds(b, v->value);
    } else if (m->unit == REVIEW_PERCENT_UNIT) {
        buf_lit(b, v->value ? ": yes" : ": no");
    }
    buf_lit(b, "</li>\n");
}

void html_evidence(struct buf *b, const struct review *r, bool shared)
{
    for (size_t i = 0; i < 2 * (size_t)REVIEW_MEASURE_COUNT; i++) {
        const struct review_measure *m = review_measure((enum review_measure_id)(i / 2));
        const struct review_number *n = &r->numbers[m->id][i % 2];
        if (m->shared != shared || !opens(n))
            continue;
        buf_lit(b, "<h3 id=\"");
        put_place(b, r, m, i % 2);
        buf_printf(b, "\">%s, ", m->name);
        html_side(b, &r->parties[i % 2]);
        buf_lit(b, "</h3>\n");
        if (n->cases > n->evidence_count)
            buf_printf(b, "<p>The first %zu of %llu.</p>\n", n->evidence_count,
                       (unsigned long long)n->cases);
        buf_lit(b, "<ul class=\"records\">\n");
        for (size_t k = 0; k < n->evidence_count; k++)
            put_record(b, m, &n->evidence[k]);
        buf_lit(b, "</ul>\n");
    }
}

static void put_norm(struct buf *b, const struct review *r, const struct json *v)
{
    struct str id = json_get_str(v, STR("id"));
    struct err ignored;
    bool any = false;
    buf_lit(b, "<tr><th scope=\"row\">");
    html_text(b, id);
    buf_lit(b, "</th><td>");
    html_text(b, json_get_str(v, STR("title")));
    buf_lit(b, "</td><td>");
    for (size_t i = 0; i < REVIEW_MEASURE_COUNT; i++) {
        const struct review_measure *m = review_measure((enum review_measure_id)i);
        if (!review_measure_speaks(m, id, &ignored))
            continue;
        any = true;
        if (!m->shared) {
            buf_printf(b, "<p>%s: each side counts it on its own node</p>", m->name);
            continue;
        }
        buf_printf(b, "<p>%s: ", m->name);
        for (size_t c = 0; c < 2; c++) {
            buf_lit(b, c ? "; " : "");
            html_text(b, r->parties[c].nation);
            buf_byte(b, ' ');
            html_number(b, m, &r->numbers[m->id][c]);
        }
        buf_lit(b, "</p>");
    }
    if (!any)
        buf_lit(b, dialogue_norm_computable(id)
                       ? "no measure of the exchange speaks to it"
                       : "declaratory: about what a State abstains from; nothing is computed");
    buf_lit(b, "</td></tr>\n");
}

void html_norms(struct buf *b, const struct review *r)
{
    const struct json *items = json_get(json_get(r->norms, STR("norms")), STR("items"));
    buf_lit(b, "<table>\n<caption>Norms of responsible State behaviour (A/70/174, paragraph 13), "
               "and what this exchange shows of them</caption>\n<thead><tr><th scope=\"col\">"
               "Norm</th><th scope=\"col\">About</th><th scope=\"col\">Measures</th></tr></thead>\n"
               "<tbody>\n");
    for (const struct json *v = items->u.child; v; v = v->next)
        put_norm(b, r, v);
    buf_lit(b, "</tbody>\n</table>\n");
}
