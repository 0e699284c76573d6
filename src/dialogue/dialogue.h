/*
 * The dialogue of two nations as data: reading a press statement into the draft of a round, the
 * public record, norms, the objects that carry requests and commitments, the states of a request
 * and its clocks. It stores nothing and decides nothing: a draft is for an officer to confirm, and
 * what a text does not say is null. Any thread may call; a reading lives in its caller's arena.
 */
#ifndef DIALOGUE_DIALOGUE_H
#define DIALOGUE_DIALOGUE_H

#include "base/base.h"
#include "json/json.h"

/* ---- reading a statement ---- */

struct dialogue_draft;

/* Drafts the round that `text` reports. The draft lives in `a`, which `text` must outlive too.
 * ERR_INVALID if the text is not UTF-8, ERR_TOO_LARGE over LIMIT_DIALOGUE_TEXT_BYTES, ERR_LIMIT
 * over LIMIT_DIALOGUE_WORDS. A text that is about no dialogue is no error: its draft is empty. */
bool dialogue_read(struct arena *a, struct json_reader *jr, struct str text,
                   const struct dialogue_draft **out, struct err *e) BASE_CHECKED;
/* Is the text about a round of a dialogue? */
bool dialogue_draft_found(const struct dialogue_draft *d);
/* {"round":{…},"findings":[…]} on one line; docs/DIALOGUE.md names the fields. */
void dialogue_draft_json(const struct dialogue_draft *d, struct buf *out);
/* The same for people, over several lines. */
void dialogue_draft_text(const struct dialogue_draft *d, struct buf *out);

#endif
