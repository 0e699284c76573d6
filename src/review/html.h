/* Inside the room: pieces of the page. */
#ifndef REVIEW_HTML_H
#define REVIEW_HTML_H

#include "review/model.h"

/* Text of others, fit to stand in an element or in a quoted attribute: marks of HTML become
 * references; controls, and marks that turn the direction of writing, become U+FFFD. */
void html_text(struct buf *b, struct str s);
/* The same as paragraphs, one for each line that is not blank. */
void html_paragraphs(struct buf *b, struct str s);
/* A language tag (BCP 47) as it may stand in an attribute; "und" for what is none. */
void html_lang(struct buf *b, struct str tag);
/* ` lang="ja"` */
void html_lang_attribute(struct buf *b, struct str tag);
/* IN (cert-in) */
void html_side(struct buf *b, const struct policy_party *party);

/* The table of measures that are both sides' (`shared`) or this node's, charts, and the records
 * behind them. */
void html_numbers(struct buf *b, const struct review *r, bool shared);
void html_evidence(struct buf *b, const struct review *r, bool shared);
void html_norms(struct buf *b, const struct review *r);
/* One number in words, linked to its evidence where there is any; `id` names the place. */
void html_number(struct buf *b, const struct review_measure *m, const struct review_number *n);

#endif
