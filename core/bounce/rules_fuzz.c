/* SPDX-License-Identifier: ISC
 *
 * Any octets as an operator's file of rules: rules, or an error that names a line of it.
 */
#include "bounce/read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n };
    struct rules_error error = { 0 };
    struct rules *rules = rules_with(text, &error);
    size_t lines = 1;

    for (size_t i = 0; i < n; i++)
        lines += text.at[i] == '\n';
    if (rules == NULL && (error.line > lines || strlen(error.text) == 0
                          || strlen(error.text) >= RULES_ERROR_MOST))
        abort();
    rules_free(rules);
    return 0;
}
