/* SPDX-License-Identifier: ISC */
#include "dns/fetch.h"

const char *fetch_result_words(enum fetch_result result)
{
    switch (result) {
    case FETCH_WELL: return "fetched";
    case FETCH_STATUS: return "the server has another answer than 200";
    case FETCH_NO_ADDRESS: return "its host has no address to go to";
    case FETCH_UNREACHED: return "its host does not answer";
    case FETCH_UNTRUSTED: return "no authority vouches for its host";
    case FETCH_NO_TLS: return "TLS with its host failed";
    case FETCH_GARBLED: return "what came is no whole answer of HTTP";
    case FETCH_TOO_LONG: return "it is longer than is taken";
    case FETCH_WRONG_TYPE: return "it is not of the type asked for";
    case FETCH_LATE: return "it took too long";
    case FETCH_NOT_NOW: return "too much is being fetched";
    case FETCH_RESULTS: break;
    }
    return "";
}

const char *fetch_result_tlsrpt(enum fetch_result result)
{
    switch (result) {
    case FETCH_WELL: case FETCH_NOT_NOW: case FETCH_RESULTS: return "";
    case FETCH_UNTRUSTED: return "sts-webpki-invalid";
    case FETCH_STATUS: case FETCH_NO_ADDRESS: case FETCH_UNREACHED: case FETCH_NO_TLS:
    case FETCH_GARBLED: case FETCH_TOO_LONG: case FETCH_WRONG_TYPE: case FETCH_LATE:
        break;
    }
    return "sts-policy-fetch-error";
}
