/* Frames as they are: each piece is a byte that chooses the link type, and the frame. */
#include "fuzz/packet_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int links[] = {1, 113, 276, 12, 0, 9, 228, 105};
    struct target *t = target_begin();
    const uint8_t *piece;
    size_t piece_n;
    while (target_piece(&data, &n, &piece, &piece_n)) {
        if (!piece_n)
            continue;
        t->frame.link = links[piece[0] % (sizeof links / sizeof *links)];
        target_frame(t, piece + 1, piece_n - 1);
    }
    target_end(t);
    return 0;
}
