/* SPDX-License-Identifier: ISC */
#include "dns/guard.h"

#include <string.h>

struct range {
    uint8_t ip[16];
    uint8_t bits;
    enum guard_verdict verdict;
};

/* IPv4 (RFC 6890 and the registry it began), mapped; the first that holds decides. */
#define V4(a, b, c, d) { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, a, b, c, d }
static const struct range v4[] = {
    { V4(0, 0, 0, 0), 96 + 8, GUARD_OURSELVES },
    { V4(127, 0, 0, 0), 96 + 8, GUARD_OURSELVES },
    { V4(10, 0, 0, 0), 96 + 8, GUARD_PRIVATE },
    { V4(100, 64, 0, 0), 96 + 10, GUARD_PRIVATE },
    { V4(169, 254, 0, 0), 96 + 16, GUARD_PRIVATE },
    { V4(172, 16, 0, 0), 96 + 12, GUARD_PRIVATE },
    { V4(192, 168, 0, 0), 96 + 16, GUARD_PRIVATE },
    { V4(192, 0, 0, 0), 96 + 24, GUARD_NOBODY },
    { V4(192, 0, 2, 0), 96 + 24, GUARD_NOBODY },
    { V4(198, 18, 0, 0), 96 + 15, GUARD_NOBODY },
    { V4(198, 51, 100, 0), 96 + 24, GUARD_NOBODY },
    { V4(203, 0, 113, 0), 96 + 24, GUARD_NOBODY },
    { V4(224, 0, 0, 0), 96 + 3, GUARD_NOBODY },     /* multicast, reserved, broadcast */
};

static const struct range v6[] = {
    { { 0 }, 128, GUARD_OURSELVES },
    { { [15] = 1 }, 128, GUARD_OURSELVES },
    { { 0xfe, 0x80 }, 10, GUARD_PRIVATE },
    { { 0xfe, 0xc0 }, 10, GUARD_PRIVATE },
    { { 0xfc }, 7, GUARD_PRIVATE },
    { { 0xff }, 8, GUARD_NOBODY },
    { { 0x01 }, 64, GUARD_NOBODY },
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, GUARD_NOBODY },
    { { 0x3f, 0xff }, 20, GUARD_NOBODY },
    { { 0x5f }, 16, GUARD_NOBODY },
};

static bool holds(const struct range *range, const uint8_t ip[static 16])
{
    size_t whole = range->bits / 8;
    unsigned left = range->bits % 8, mask = 0xffu << (8 - left) & 0xff;

    return memcmp(range->ip, ip, whole) == 0
        && (left == 0 || ((range->ip[whole] ^ ip[whole]) & mask) == 0);
}

static enum guard_verdict look(const struct range *ranges, size_t n, const uint8_t ip[static 16])
{
    for (size_t i = 0; i < n; i++)
        if (holds(&ranges[i], ip))
            return ranges[i].verdict;
    return GUARD_OPEN;
}

/* The IPv4 address that an IPv6 address stands for: mapped, compatible (RFC 4291, 2.5.5), NAT64
   (RFC 6052), 6to4 (RFC 3056). */
static bool find_v4(const uint8_t ip[static 16], uint8_t ret_ip[static 16])
{
    static const uint8_t zeros[12] = { 0 }, mapped[12] = { [10] = 255, 255 };
    static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };
    size_t at = 12;

    if (ip[0] == 0x20 && ip[1] == 0x02)
        at = 2;
    else if (memcmp(ip, mapped, 12) != 0 && memcmp(ip, nat64, 12) != 0
             && memcmp(ip, zeros, 12) != 0)
        return false;
    memcpy(ret_ip, mapped, 12);
    memcpy(ret_ip + 12, ip + at, 4);
    return true;
}

enum guard_verdict guard_look(const uint8_t ip[static 16])
{
    enum guard_verdict verdict = look(v6, COUNT(v6), ip);
    uint8_t inside[16];

    if (verdict == GUARD_OPEN && find_v4(ip, inside))
        verdict = look(v4, COUNT(v4), inside);
    return verdict;
}

const char *guard_words(enum guard_verdict verdict)
{
    switch (verdict) {
    case GUARD_OPEN: return "an address of the open network";
    case GUARD_OURSELVES: return "an address of this very machine";
    case GUARD_PRIVATE: return "an address of a private network";
    case GUARD_NOBODY: return "an address at which no host can be";
    }
    return "";
}
