/* SPDX-License-Identifier: ISC
 *
 * base/charset_int.h: the tables that tools/charset_tables.py makes at build time.
 */
#ifndef POSTERN_BASE_CHARSET_INT_H
#define POSTERN_BASE_CHARSET_INT_H

#include <stddef.h>
#include <stdint.h>

/* In this order in charset_single. */
enum charset_table {
    TABLE_8859_1, TABLE_8859_2, TABLE_8859_3, TABLE_8859_4, TABLE_8859_5, TABLE_8859_6,
    TABLE_8859_7, TABLE_8859_8, TABLE_8859_9, TABLE_8859_10, TABLE_8859_11, TABLE_8859_13,
    TABLE_8859_14, TABLE_8859_15, TABLE_8859_16, TABLE_1250, TABLE_1251, TABLE_1252, TABLE_1253,
    TABLE_1254, TABLE_1255, TABLE_1256, TABLE_1257, TABLE_1258, TABLE_874, TABLE_KOI8_R,
    TABLE_KOI8_U, TABLE_866, TABLE_437, TABLE_850, TABLE_MAC_ROMAN, TABLE_MAC_CYRILLIC,
    CHARSET_TABLES
};

enum {
    SJIS_ROW = 0xfc - 0x40 + 1, GBK_ROW = 0xfe - 0x40 + 1, BIG5_ROW = 0xfe - 0x40 + 1,
    EUCKR_ROW = 0xfe - 0x41 + 1,
};

struct charset_run {
    uint32_t linear;            /* of the four octets, counted from 81 30 81 30 */
    uint16_t point, n;
};

extern const uint16_t charset_single[CHARSET_TABLES][128];
extern const uint16_t charset_sjis[(0xfc - 0x81 + 1) * SJIS_ROW];
extern const uint16_t charset_gbk[(0xfe - 0x81 + 1) * GBK_ROW];
extern const uint16_t charset_big5[(0xfe - 0x81 + 1) * BIG5_ROW];
extern const uint16_t charset_euckr[(0xfe - 0x81 + 1) * EUCKR_ROW];
extern const struct charset_run charset_gb_runs[];
extern const size_t charset_gb_runs_n;

#endif
