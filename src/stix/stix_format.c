#include <string.h>

#include "stix/stix_priv.h"

/* Texts that STIX takes from other standards. Each test is pure; none resolves or decodes. */

static bool one_of(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

bool stix_format_base64(struct str s)
{
    size_t pad = 0;
    if (s.n % 4 != 0)
        return false;
    while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < s.n - pad; i++) {
        char c = s.p[i];
        if (!stix_is_alpha(c) && !stix_is_digit(c) && c != '+' && c != '/')
            return false;
    }
    return true;
}

bool stix_format_hex(struct str s, bool *upper)
{
    *upper = false;
    for (size_t i = 0; i < s.n; i++) {
        if (!stix_is_hex(s.p[i]))
            return false;
        *upper |= s.p[i] >= 'A' && s.p[i] <= 'F';
    }
    return s.n % 2 == 0;
}

bool stix_format_mac(struct str s)
{
    if (s.n != 17)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (i % 3 == 2 ? s.p[i] != ':' : !stix_is_hex(s.p[i]) || (s.p[i] >= 'A' && s.p[i] <= 'F'))
            return false;
    return true;
}

/* A decimal number of at most `digits` digits, no leading zero, up to `most`. */
static bool number_ok(struct str s, size_t digits, uint64_t most)
{
    uint64_t v;
    return s.n <= digits && str_to_u64(s, &v) && v <= most && (s.n == 1 || s.p[0] != '0');
}

static bool ipv4_address(struct str s)
{
    size_t parts = 0;
    for (; s.p != NULL; parts++)
        if (!number_ok(str_cut(&s, '.'), 3, 255))
            return false;
    return parts == 4;
}

/* RFC 4632: an address with an optional prefix length. */
static bool cidr(struct str s, uint64_t bits, bool (*address)(struct str))
{
    struct str rest = s, a = str_cut(&rest, '/');
    return address(a) && (rest.p == NULL || number_ok(rest, 3, bits));
}

bool stix_format_ipv4(struct str s)
{
    return cidr(s, 32, ipv4_address);
}

/* RFC 4291 section 2.2: eight groups, one run of them may be "::", the last two may be IPv4. */
static bool ipv6_address(struct str s)
{
    size_t groups = 0;
    bool gap = false;
    if (s.n > 1 && s.p[0] == ':' && s.p[1] == ':') {
        gap = true;
        s = str_from(s, 2);
        if (s.n == 0)
            return true;
    }
    while (s.p != NULL) {
        struct str g = str_cut(&s, ':');
        if (s.p == NULL && str_find(g, '.') < g.n)
            return ipv4_address(g) && (gap ? groups + 2 < 8 : groups + 2 == 8);
        if (g.n == 0 || g.n > 4)
            return false;
        for (size_t i = 0; i < g.n; i++)
            if (!stix_is_hex(g.p[i]))
                return false;
        groups++;
        if (s.p != NULL && s.n > 0 && s.p[0] == ':') {
            if (gap)
                return false;
            gap = true;
            s = str_from(s, 1);
            if (s.n == 0)
                break;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

bool stix_format_ipv6(struct str s)
{
    return cidr(s, 128, ipv6_address);
}

/* RFC 1034 section 3.5 with the U-labels of RFC 5890; an underscore as in service names. */
bool stix_format_domain(struct str s)
{
    if (s.n > 0 && s.p[s.n - 1] == '.')
        s.n--;
    if (s.n == 0 || s.n > 253)
        return false;
    while (s.p != NULL) {
        struct str label = str_cut(&s, '.');
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            char c = label.p[i];
            if (!stix_is_alpha(c) && !stix_is_digit(c) && c != '-' && c != '_' &&
                !((unsigned char)c & 0x80))
                return false;
        }
    }
    return true;
}

/* RFC 5322 section 3.4.1 addr-spec: dot-atom or quoted string, "@", a domain or a literal. */
bool stix_format_email(struct str s)
{
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '@')
        at--;
    if (at < 2 || at == s.n)
        return false;
    struct str local = str_slice(s, 0, at - 1), domain = str_from(s, at);
    bool quoted = local.n > 2 && local.p[0] == '"' && local.p[local.n - 1] == '"';
    for (size_t i = 0; i < local.n && !quoted; i++) {
        char c = local.p[i];
        if ((unsigned char)c <= ' ' || c == 0x7f || one_of("()<>[]:;@\\,\"", c))
            return false;
        if (c == '.' && (i == 0 || i + 1 == local.n || local.p[i + 1] == '.'))
            return false;
    }
    if (domain.p[0] == '[')
        return domain.n > 2 && domain.p[domain.n - 1] == ']';
    return stix_format_domain(domain);
}

/* Characters that a URL cannot hold, of those over the blank; and %, which needs two digits. */
static const unsigned char url_special[256] = {
    ['"'] = 1, ['<'] = 1, ['>'] = 1, ['\\'] = 1, ['^'] = 1, ['`'] = 1,
    ['{'] = 1, ['|'] = 1, ['}'] = 1, [0x7f] = 1, ['%'] = 2,
};

/* RFC 3986 section 3: scheme, colon and something behind it, in permitted characters. Bytes over
 * 0x7f are let through: an observed URL is often an IRI (RFC 3987). */
bool stix_format_url(struct str s)
{
    size_t i = 0;
    while (i < s.n &&
           (stix_is_alpha(s.p[i]) || (i > 0 && (stix_is_digit(s.p[i]) || one_of("+-.", s.p[i])))))
        i++;
    if (i == 0 || i >= s.n || s.p[i] != ':' || i + 1 == s.n)
        return false;
    for (; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i], special = url_special[c];
        if (c <= ' ' || special == 1)
            return false;
        if (special == 2 && (s.n - i < 3 || !stix_is_hex(s.p[i + 1]) || !stix_is_hex(s.p[i + 2])))
            return false;
    }
    return true;
}

/* RFC 6838 section 4.2 names under a registered top-level type. */
bool stix_format_mime(struct str s)
{
    struct str rest = s, top = str_cut(&rest, '/');
    rest = str_trim(str_cut(&rest, ';')); /* parameters are not judged */
    if (rest.n == 0 || rest.n > 127)
        return false;
    for (size_t i = 0; i < rest.n; i++)
        if (!stix_is_alpha(rest.p[i]) && !stix_is_digit(rest.p[i]) &&
            !one_of("!#$&-^_.+", rest.p[i]))
            return false;
    return stix_word_in("application audio example font haptics image message model multipart text "
                        "video",
                        top);
}

/* The IANA character set registry: preferred MIME names, and names where there is none. */
bool stix_format_charset(struct str s)
{
    static const char registry[] =
        "US-ASCII ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 "
        "ISO-8859-8 ISO-8859-9 ISO-8859-10 ISO_6937-2-add JIS_X0201 JIS_Encoding Shift_JIS EUC-JP "
        "Extended_UNIX_Code_Fixed_Width_for_Japanese BS_4730 SEN_850200_C IT ES DIN_66003 "
        "NS_4551-1 NF_Z_62-010 ISO-10646-UTF-1 ISO_646.basic:1983 INVARIANT ISO_646.irv:1983 "
        "NATS-SEFI NATS-SEFI-ADD NATS-DANO NATS-DANO-ADD SEN_850200_B KS_C_5601-1987 ISO-2022-KR "
        "EUC-KR ISO-2022-JP ISO-2022-JP-2 JIS_C6220-1969-jp JIS_C6220-1969-ro PT greek7-old "
        "latin-greek NF_Z_62-010_(1973) Latin-greek-1 ISO_5427 JIS_C6226-1978 BS_viewdata INIS "
        "INIS-8 INIS-cyrillic ISO_5427:1981 ISO_5428:1980 GB_1988-80 GB_2312-80 NS_4551-2 "
        "videotex-suppl PT2 ES2 MSZ_7795.3 JIS_C6226-1983 greek7 ASMO_449 iso-ir-90 "
        "JIS_C6229-1984-a JIS_C6229-1984-b JIS_C6229-1984-b-add JIS_C6229-1984-hand "
        "JIS_C6229-1984-hand-add JIS_C6229-1984-kana ISO_2033-1983 ANSI_X3.110-1983 T.61-7bit "
        "T.61-8bit ECMA-cyrillic CSA_Z243.4-1985-1 CSA_Z243.4-1985-2 CSA_Z243.4-1985-gr "
        "ISO-8859-6-E ISO-8859-6-I T.101-G2 ISO-8859-8-E ISO-8859-8-I CSN_369103 JUS_I.B1.002 "
        "IEC_P27-1 JUS_I.B1.003-serb JUS_I.B1.003-mac greek-ccitt NC_NC00-10:81 ISO_6937-2-25 "
        "GOST_19768-74 ISO_8859-supp ISO_10367-box latin-lap JIS_X0212-1990 DS_2089 us-dk dk-us "
        "KSC5636 UNICODE-1-1-UTF-7 ISO-2022-CN ISO-2022-CN-EXT UTF-8 ISO-8859-13 ISO-8859-14 "
        "ISO-8859-15 ISO-8859-16 GBK GB18030 OSD_EBCDIC_DF04_15 OSD_EBCDIC_DF03_IRV "
        "OSD_EBCDIC_DF04_1 ISO-11548-1 KZ-1048 ISO-10646-UCS-2 ISO-10646-UCS-4 "
        "ISO-10646-UCS-Basic ISO-10646-Unicode-Latin1 ISO-10646-J-1 ISO-Unicode-IBM-1261 "
        "ISO-Unicode-IBM-1268 ISO-Unicode-IBM-1276 ISO-Unicode-IBM-1264 ISO-Unicode-IBM-1265 "
        "UNICODE-1-1 SCSU UTF-7 UTF-16BE UTF-16LE UTF-16 CESU-8 UTF-32 UTF-32BE UTF-32LE BOCU-1 "
        "ISO-8859-1-Windows-3.0-Latin-1 ISO-8859-1-Windows-3.1-Latin-1 "
        "ISO-8859-2-Windows-Latin-2 ISO-8859-9-Windows-Latin-5 hp-roman8 "
        "Adobe-Standard-Encoding Ventura-US Ventura-International DEC-MCS IBM850 "
        "PC8-Danish-Norwegian IBM862 PC8-Turkish IBM-Symbols IBM-Thai HP-Legal HP-Pi-font "
        "HP-Math8 Adobe-Symbol-Encoding HP-DeskTop Ventura-Math Microsoft-Publishing Windows-31J "
        "GB2312 Big5 macintosh IBM037 IBM038 IBM273 IBM274 IBM275 IBM277 IBM278 IBM280 IBM281 "
        "IBM284 IBM285 IBM290 IBM297 IBM420 IBM423 IBM424 IBM437 IBM500 IBM851 IBM852 IBM855 "
        "IBM857 IBM860 IBM861 IBM863 IBM864 IBM865 IBM868 IBM869 IBM870 IBM871 IBM880 IBM891 "
        "IBM903 IBM904 IBM905 IBM918 IBM1026 EBCDIC-AT-DE EBCDIC-AT-DE-A EBCDIC-CA-FR "
        "EBCDIC-DK-NO EBCDIC-DK-NO-A EBCDIC-FI-SE EBCDIC-FI-SE-A EBCDIC-FR EBCDIC-IT EBCDIC-PT "
        "EBCDIC-ES EBCDIC-ES-A EBCDIC-ES-S EBCDIC-UK EBCDIC-US UNKNOWN-8BIT MNEMONIC MNEM VISCII "
        "VIQR KOI8-R HZ-GB-2312 IBM866 IBM775 KOI8-U IBM00858 IBM00924 IBM01140 IBM01141 IBM01142 "
        "IBM01143 IBM01144 IBM01145 IBM01146 IBM01147 IBM01148 IBM01149 Big5-HKSCS IBM1047 PTCP154 "
        "Amiga-1251 KOI7-switched BRF TSCII CP51932 windows-874 windows-1250 windows-1251 "
        "windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 "
        "windows-1258 TIS-620 CP50220 ";
    const char *p = registry;
    while (*p != '\0') {
        size_t n = strcspn(p, " ");
        if (str_eq_nocase((struct str){p, n}, s))
            return true;
        p += n + 1;
    }
    return false;
}

/* NISTIR 7695 section 6.2: a formatted string has 13 parts; a backslash quotes a colon. */
bool stix_format_cpe(struct str s)
{
    size_t colons = 0;
    if (!str_starts(s, STR("cpe:2.3:")))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == ':')
            colons++;
        else if ((unsigned char)s.p[i] <= ' ')
            return false;
    }
    return colons == 12 && one_of("aho*-", s.p[8]);
}

bool stix_format_cve(struct str s)
{
    if (s.n < 13 || !str_starts(s, STR("CVE-")) || s.p[8] != '-')
        return false;
    for (size_t i = 4; i < s.n; i++)
        if (i != 8 && !stix_is_digit(s.p[i]))
            return false;
    return true;
}

bool stix_format_capec(struct str s)
{
    uint64_t id;
    return str_starts(s, STR("CAPEC-")) && str_to_u64(str_from(s, 6), &id);
}

/* chunk size, colon, two runs of base64 characters. */
static bool ssdeep_ok(struct str s)
{
    uint64_t size;
    struct str first = str_cut(&s, ':');
    if (!str_to_u64(first, &size) || s.p == NULL)
        return false;
    for (size_t i = 0, colons = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ':' ? ++colons > 1
                     : !stix_is_alpha(c) && !stix_is_digit(c) && c != '+' && c != '/')
            return false;
    }
    return str_find(s, ':') < s.n;
}

bool stix_format_hash(struct str algorithm, struct str s, bool *known)
{
    static const struct {
        struct str name;
        size_t digits;
    } table[] = {
        {STIX_LIT("MD5"), 32},      {STIX_LIT("SHA-1"), 40},    {STIX_LIT("SHA-256"), 64},
        {STIX_LIT("SHA-512"), 128}, {STIX_LIT("SHA3-256"), 64}, {STIX_LIT("SHA3-512"), 128},
    };
    bool upper;
    *known = true;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (str_eq(algorithm, table[i].name))
            return s.n == table[i].digits && stix_format_hex(s, &upper);
    if (str_eq(algorithm, STR("SSDEEP")))
        return ssdeep_ok(s);
    if (str_eq(algorithm, STR("TLSH"))) /* 35 bytes in hexadecimal, since 2019 behind "T1" */
        return stix_format_hex(str_from(s, s.n == 72 && str_starts(s, STR("T1")) ? 2 : 0),
                               &upper) &&
               (s.n == 70 || s.n == 72);
    *known = false;
    return true;
}

bool stix_format_lower_hyphen(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == ' ' || s.p[i] == '_')
            return false;
    return true;
}
