/* Segments of TCP: each piece is a byte of who sends to whom, the sequence number's last two bytes,
 * flags, a byte that chooses the port, and the payload. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint16_t ports[] = {80, 443, 53, 8080};
    struct target *t = target_begin();
    const uint8_t *piece;
    size_t piece_n;
    while (target_piece(&data, &n, &piece, &piece_n)) {
        if (piece_n < 5)
            continue;
        uint16_t port = ports[piece[4] & 3];
        uint8_t head[20] = {[0] = 0x12,          [1] = 0x34,     [2] = (uint8_t)(port >> 8),
                            [3] = (uint8_t)port, [6] = piece[1], [7] = piece[2],
                            [12] = 0x50,         [13] = piece[3]};
        target_ip(t, piece[0], 6, head, sizeof head, piece + 5, piece_n - 5);
    }
    target_end(t);
    return 0;
}
