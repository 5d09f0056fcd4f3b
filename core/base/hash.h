/* SPDX-License-Identifier: ISC
 *
 * base/hash.h: checks and keyed hashes.
 */
#ifndef POSTERN_BASE_HASH_H
#define POSTERN_BASE_HASH_H

#include "base/bytes.h"

/* CRC-32C (Castagnoli; RFC 3720, B.4), continued from `crc` (0 to begin). Uses the processor's
   instruction where it has one. */
uint32_t crc32c(uint32_t crc, struct bytes data);
/* The same without that instruction; disks move from one machine to another, so a test compares. */
uint32_t crc32c_plain(uint32_t crc, struct bytes data);

/* SipHash-1-3 with a 16-octet key: for tables whose keys strangers choose, and for marks they must
   not be able to forge. */
uint64_t siphash(const uint8_t key[static 16], struct bytes data);

#endif
