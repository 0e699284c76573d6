/*
 * Cutting text into words. A word is a longest run of letters, digits, `-`, `_`, `.` and bytes
 * above ASCII; what cannot be a candidate (most words) is passed over here.
 */
#include "match/scan_priv.h"

#define W MATCH_WORD
#define D (MATCH_WORD | MATCH_DOT)
#define H (MATCH_WORD | MATCH_HIGH)
#define J MATCH_JOIN
#define B MATCH_BREAK
#define I MATCH_ILLEGAL
#define E MATCH_END
const unsigned char match_class[256] = {
    B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, /* controls */
    B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, /* controls */
    B, 0, B, E, 0, J, E, 0, J, 0, 0, 0, E, W, D, E, /*  !"#$%&'()*+,-./ */
    W, W, W, W, W, W, W, W, W, W, J, E, B, 0, B, E, /* 0123456789:;<=>? */
    J, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* @ABCDEFGHIJKLMNO */
    W, W, W, W, W, W, W, W, W, W, W, J, J, 0, I, W, /* PQRSTUVWXYZ[\]^_ */
    I, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* `abcdefghijklmno */
    W, W, W, W, W, W, W, W, W, W, W, I, I, I, 0, B, /* pqrstuvwxyz{|}~  */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* above ASCII */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* */
};
#undef W
#undef D
#undef H
#undef J
#undef B
#undef I
#undef E

static bool worth_a_look(const struct match_scan *sc, const char *s, const char *e, unsigned seen)
{
    if (seen & MATCH_DOT || e - s >= MATCH_SHORTEST_HASH || sc->set->gate.facts.single_labels)
        return true;
    if (e < sc->end && match_class_of(*e) & MATCH_JOIN)
        return true;
    if (s == sc->begin)
        return false;
    return s[-1] == '\\' || (s[-1] == ':' && s - sc->begin >= 2 && s[-2] == ':');
}

/* Where a cut piece may be left to the next one: before a word in its second half that no address
 * or mailbox can go on with, or a word that reaches its end. */
static bool left_to_next(const struct match_scan *sc, const char *s, const char *e)
{
    return sc->cut && (e == sc->end || (s - sc->begin > (sc->end - sc->begin) / 2 &&
                                        strchr(":@+%", s[-1]) == NULL));
}

void match_scan_words(struct match_scan *sc, const char *p, const char *end)
{
    while (p < end && !sc->stop) {
        if (!match_is_word(*p)) {
            p++;
            continue;
        }
        const char *s = p;
        unsigned seen = 0;
        while (p < end && match_is_word(*p))
            seen |= match_class_of(*p++);
        if (sc->host.n > 0 && s >= sc->host.p)
            match_scan_url_host(sc);
        if (left_to_next(sc, s, p)) {
            sc->rest = s;
            break;
        }
        if (worth_a_look(sc, s, p, seen))
            p = match_scan_word(sc, s, p, seen);
    }
    match_scan_url_host(sc);
}
