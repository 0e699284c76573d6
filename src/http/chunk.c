/* Chunked bodies (RFC 9112 §7.1), read strictly: a size in hexadecimal and CRLF. Extensions and
 * trailers, which mean nothing here and hide requests from other readers, are refused. */
#include "http/http_priv.h"

/* One byte of a frame. */
static bool step(struct http_chunks *k, char c, struct err *e)
{
    int d = hex_value(c);
    switch (k->state) {
    case HTTP_CHUNK_SIZE:
        if (d >= 0 && k->digits < 15) {
            k->left = k->left * 16 + (uint64_t)d;
            k->digits++;
            return true;
        }
        if (c == ';')
            return err_set(e, ERR_SYNTAX, "a chunk has an extension");
        if (c != '\r' || k->digits == 0)
            return err_set(e, ERR_SYNTAX, "the size of a chunk is not a hexadecimal number");
        k->state = HTTP_CHUNK_SIZE_LF;
        return true;
    case HTTP_CHUNK_SIZE_LF:
        k->state = k->left ? HTTP_CHUNK_DATA : HTTP_CHUNK_LAST_CR;
        break;
    case HTTP_CHUNK_DATA_CR:
        if (c != '\r')
            return err_set(e, ERR_SYNTAX, "a chunk is longer than its size");
        k->state = HTTP_CHUNK_DATA_LF;
        return true;
    case HTTP_CHUNK_DATA_LF:
        k->state = HTTP_CHUNK_SIZE;
        k->digits = 0;
        break;
    case HTTP_CHUNK_LAST_CR:
        if (c != '\r')
            return err_set(e, ERR_SYNTAX, "headers stand behind the last chunk");
        k->state = HTTP_CHUNK_LAST_LF;
        return true;
    case HTTP_CHUNK_LAST_LF:
        k->state = HTTP_CHUNK_END;
        break;
    case HTTP_CHUNK_DATA:
    case HTTP_CHUNK_END:
        must(false);
    }
    return c == '\n' || err_set(e, ERR_SYNTAX, "a line of a chunked body ends without CRLF");
}

bool http_chunks_take(struct http_chunks *k, struct str *bytes, struct str *data, struct err *e)
{
    *data = STR_NONE;
    while (bytes->n && k->state != HTTP_CHUNK_END) {
        if (k->state == HTTP_CHUNK_DATA) {
            size_t n = k->left < bytes->n ? (size_t)k->left : bytes->n;
            *data = str_slice(*bytes, 0, n);
            *bytes = str_from(*bytes, n);
            k->left -= n;
            if (k->left == 0)
                k->state = HTTP_CHUNK_DATA_CR;
            return true;
        }
        if (!step(k, bytes->p[0], e))
            return false;
        *bytes = str_from(*bytes, 1);
    }
    return true;
}
