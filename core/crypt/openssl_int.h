/* SPDX-License-Identifier: ISC
 *
 * crypt/openssl_int.h: all of OpenSSL that this folder uses. The build includes it before
 * base/banned.h, whose words stand in these headers as names of arguments.
 */
#ifndef POSTERN_CRYPT_OPENSSL_INT_H
#define POSTERN_CRYPT_OPENSSL_INT_H

/* RSA_METHOD and EC_KEY_METHOD (remote_key.c) are called deprecated. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/async.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#endif
