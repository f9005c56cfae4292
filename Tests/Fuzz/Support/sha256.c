// SPDX-License-Identifier: MIT OR Apache-2.0
//
// SHA-256 for a second time: from the words of FIPS 180-4, with constants that are computed, and word by word where the
// library's goes block by block.
#include <string.h>

#include "fuzz.h"

static uint32_t right(uint32_t word, unsigned count) { return word >> count | word << (32 - count); }

// The first 32 bits of what comes behind the point in a prime's root: the largest x with x to the power <= prime << 32 * power.
static uint32_t root_fraction(uint32_t prime, int power) {
    uint64_t low = 0, high = (uint64_t)20 << 32;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        // In 128 bits: 2^36.4 to the third power has 110.
        unsigned __int128 product = (unsigned __int128)middle * middle;
        unsigned __int128 limit = (unsigned __int128)prime << 64;
        bool is_less = power == 2 ? product <= limit : product * middle <= limit << 32;
        if (is_less) low = middle;
        else high = middle;
    }
    return (uint32_t)low;
}

static struct {
    uint32_t cube[64], square[8];
    bool is_made;
} roots;

static void make_roots(void) {
    int found = 0;
    for (uint32_t number = 2; found < 64; number++) {
        bool is_prime = true;
        for (uint32_t divisor = 2; divisor * divisor <= number; divisor++)
            if (number % divisor == 0) is_prime = false;
        if (!is_prime) continue;
        if (found < 8) roots.square[found] = root_fraction(number, 2);
        roots.cube[found++] = root_fraction(number, 3);
    }
    roots.is_made = true;
}

// The byte of the padded message at a place.
static uint8_t padded(const uint8_t *message, size_t count, size_t total, size_t place) {
    if (place < count) return message[place];
    if (place == count) return 0x80;
    size_t from_end = total - 1 - place;
    return from_end < 8 ? (uint8_t)((uint64_t)count * 8 >> 8 * from_end) : 0;
}

void fuzz_sha256(const uint8_t *message, size_t count, uint8_t *hash) {
    if (!roots.is_made) make_roots();
    uint32_t state[8], word[64];
    memcpy(state, roots.square, sizeof state);
    size_t total = (count + 9 + 63) / 64 * 64;
    for (size_t block = 0; block < total; block += 64) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (unsigned t = 0; t < 64; t++) {
            if (t < 16) {
                word[t] = 0;
                for (size_t byte = 0; byte < 4; byte++)
                    word[t] = word[t] << 8 | padded(message, count, total, block + 4 * t + byte);
            } else {
                uint32_t x = word[t - 2], y = word[t - 15];
                word[t] = (right(x, 17) ^ right(x, 19) ^ x >> 10) + word[t - 7] + (right(y, 7) ^ right(y, 18) ^ y >> 3)
                        + word[t - 16];
            }
            uint32_t first = h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + roots.cube[t] + word[t];
            uint32_t second = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
        }
        uint32_t sums[8] = {a, b, c, d, e, f, g, h};
        for (int index = 0; index < 8; index++) state[index] += sums[index];
    }
    for (int index = 0; index < 32; index++) hash[index] = (uint8_t)(state[index / 4] >> (24 - 8 * (index % 4)));
}
