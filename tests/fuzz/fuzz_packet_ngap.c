/* NGAP: each piece is a byte of who sends to whom and which way, a byte of the TSN, and the
 * message. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct target *t = target_begin();
    const uint8_t *piece;
    size_t piece_n;
    static const uint8_t init[] = {0x9c, 0x40, 0x96, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 4};
    target_ip(t, 4, 132, init, sizeof init, NULL, 0);
    while (target_piece(&data, &n, &piece, &piece_n)) {
        if (piece_n < 2)
            continue;
        bool up = piece[0] & 0x10;
        size_t length = 16 + piece_n - 2;
        uint8_t head[28] = {[3] = 0, [12] = 0, [13] = 3, [27] = 60};
        head[up ? 0 : 2] = 0x9c;
        head[up ? 1 : 3] = 0x40;
        head[up ? 2 : 0] = 0x96;
        head[up ? 3 : 1] = 0x0c;
        head[14] = (uint8_t)(length >> 8);
        head[15] = (uint8_t)length;
        head[19] = piece[1];
        target_ip(t, piece[0], 132, head, sizeof head, piece + 2, piece_n - 2);
    }
    target_end(t);
    return 0;
}
