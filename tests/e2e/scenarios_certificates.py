"""Which certificates are trusted, and how the others are reported, compared with curl and OpenSSL."""

import subprocess
from collections import namedtuple

from harness import Skip, clean_environment, equal, expect
from scenarios_count import whole_stream
from servers import nginx, nginx_tls

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
SAN = "subjectAltName=DNS:localhost,IP:127.0.0.1"

CA_CONFIG = """\
[ca]
default_ca = own
[own]
new_certs_dir = {dir}
database = {dir}/index.txt
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
email_in_dn = no
[any]
commonName = supplied
[leaf]
subjectAltName = DNS:localhost,IP:127.0.0.1
"""


def openssl(directory, *arguments, **options):
    """Runs openssl in `directory`; it must succeed."""
    try:
        done = subprocess.run(["openssl", *arguments], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True,
                              **options)
    except FileNotFoundError:
        raise Skip("openssl is not installed") from None
    expect(done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")


def self_signed(directory, name, *extensions, subject="/CN=localhost", key=EC):
    """The usual self-signed certificate, `openssl req -x509`: marked as an authority."""
    more = [part for extension in extensions for part in ("-addext", extension)]
    openssl(directory, "req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
            "-subj", subject, *more)


def signed(directory, name, *extensions, issuer="ca", subject="/CN=localhost"):
    """A certificate signed by `issuer`; without extensions it is X.509 version 1."""
    openssl(directory, "req", "-new", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
    (directory / f"{name}.ext").write_text("\n".join(extensions))
    more = ["-extfile", f"{name}.ext"] if extensions else []
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key",
            "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", *more)


def dated(directory, name, begin, end):
    """A certificate signed by the authority `ca` with its own validity period."""
    (directory / "ca.cnf").write_text(CA_CONFIG.format(dir=directory))
    (directory / "index.txt").write_text("")
    openssl(directory, "req", "-new", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=localhost")
    openssl(directory, "ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", "leaf", "-in", f"{name}.csr",
            "-cert", "ca.pem", "-keyfile", "ca.key", "-out", f"{name}.pem", "-startdate", begin, "-enddate", end)


def curl(url, *flags, env=None):
    """curl's exit code: 0, or 60 if it does not trust the server."""
    command = ["curl", "-s", "-o", "/dev/null", "--max-time", "10", *map(str, flags), url]
    try:
        return subprocess.run(command, env={**clean_environment(), **(env or {})}).returncode
    except FileNotFoundError:
        raise Skip("curl is not installed") from None


def ours(bench, url, *flags, env=None):
    """swarmline's errors over two requests, and its stream; no errors if all were ok."""
    path = bench.stream_path()
    wrapper = ["env", *(f"{name}={value}" for name, value in (env or {}).items())]
    ran = bench.run(url, "-n", "2", "--telemetry", path, *flags, wrapper=wrapper)
    stream = whole_stream(bench, path, ran)
    equal(ran.code == 0, stream.end["ok"] == 2, "exit code 0 and all requests ok")
    return sorted({error for _, error in stream.errors()}), stream


def a_certificate_given_by_cacert_is_trusted_as_in_curl(bench):
    """Self-signed ones as created by `openssl req -x509`, and one of an authority that is not given; for each name."""
    self_signed(bench.dir, "usual")
    self_signed(bench.dir, "named", SAN, subject="/CN=x")
    self_signed(bench.dir, "wild", subject="/CN=*.shop.test")
    self_signed(bench.dir, "plain", SAN, "basicConstraints=CA:FALSE")
    self_signed(bench.dir, "ca", subject="/CN=authority")
    signed(bench.dir, "leaf", SAN)
    told = {}
    for name in ("usual", "named", "wild", "plain", "leaf"):
        with nginx(bench.dir / f"nginx-{name}", nginx_tls(bench.dir, name=name)) as server:
            for host in ("localhost", "127.0.0.1", "other.test", "www.shop.test"):
                where = ["--resolve", f"{host}:{server.port}:127.0.0.1"]
                url = f"https://{host}:{server.port}/ok"
                for trusted in (name, "ca"):
                    flags = ["--cacert", bench.dir / f"{trusted}.pem", *where]
                    errors, _ = ours(bench, url, *flags)
                    theirs = curl(url, *flags)
                    expect(theirs in (0, 60), f"curl ended with {theirs}")
                    equal(not errors, theirs == 0, f"{name} by {host}, {trusted} given: trusted, as curl; {errors}")
                    told[not errors] = told.get(not errors, 0) + 1
    expect(told.get(True, 0) >= 8 and told.get(False, 0) >= 8, f"the cases do not cover both results: {told}")
    return f"as curl in {sum(told.values())} cases, {told[True]} of them trusted"


Case = namedtuple("Case", "name error flags tls", defaults=(["--cacert", "CERTS/ca.pem"], ""))

SHORT_KEYS = "ssl_ciphers DEFAULT@SECLEVEL=0;"

CASES = [
    Case("expired", "certificate expired"),
    Case("early", "certificate not valid yet"),
    Case("other", "certificate for another name"),
    Case("stranger", "certificate of an unknown issuer"),
    Case("usual", "self-signed certificate"),
    Case("same", "certificate of an unknown issuer"),
    Case("expired", "certificate expired", ["--cacert", "CERTS/expired.pem"]),
    Case("authority", "certificate of an authority, not of a server"),
    Case("client", "certificate not for servers"),
    Case("short", "certificate with a key that is too short", tls=SHORT_KEYS),
    Case("short", "certificate with a key that is too short", ["--cacert", "CERTS/short.pem"], SHORT_KEYS),
    Case("ed448", "certificate with an unsupported algorithm", ["--cacert", "CERTS/ca448.pem"]),
    Case("version1", "certificate of an unsupported version"),
    Case("good", "neither TLS 1.2 nor 1.3", tls="ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"),
]


def each_certificate_problem_has_its_own_message(bench):
    """Fourteen untrusted servers: one message each, the same for every request, with its remedy on stderr."""
    certs = bench.dir
    self_signed(certs, "ca", subject="/CN=authority")
    self_signed(certs, "foreign", subject="/CN=foreign")
    self_signed(certs, "ca448", subject="/CN=ca448", key=["-newkey", "ed448", "-nodes"])
    self_signed(certs, "usual", SAN)
    self_signed(certs, "short", SAN, key=["-newkey", "rsa:1024", "-nodes"])
    self_signed(certs, "namesake", subject="/CN=localhost")
    signed(certs, "same", SAN, issuer="namesake")
    signed(certs, "good", SAN)
    signed(certs, "other", "subjectAltName=DNS:other.test")
    signed(certs, "stranger", SAN, issuer="foreign")
    signed(certs, "authority", SAN, "basicConstraints=critical,CA:TRUE")
    signed(certs, "client", SAN, "extendedKeyUsage=clientAuth")
    signed(certs, "ed448", SAN, issuer="ca448")
    signed(certs, "version1")
    dated(certs, "expired", "20200101000000Z", "20200201000000Z")
    dated(certs, "early", "20900101000000Z", "20910101000000Z")
    seen = set()
    for number, case in enumerate(CASES):
        tls = f"{nginx_tls(certs, name=case.name)} {case.tls}"
        with nginx(certs / f"nginx{number}", tls) as server:
            flags = [flag.replace("CERTS", str(certs)) for flag in case.flags]
            url = f"https://localhost:{server.port}/ok"
            errors, stream = ours(bench, url, *flags)
            equal(errors, [f"tls: {case.error}"], f"errors of {case.name}")
            # OpenSSL's default is more lenient here than rustls and browsers.
            if case.name not in ("authority", "ed448", "version1"):
                expect(curl(url, *flags) != 0, f"curl trusts {case.name}")
            equal(ours(bench, url, "-k")[0], [] if "TLSv1.1" not in tls else errors, f"{case.name} with -k")
        warned = [line["detail"] for line in stream.all("swarmline.event.warning") if line["kind"] == "tls_failed"]
        equal(len(warned), 1, f"warnings of {case.name}")
        expect(case.error in warned[0] and ": " in warned[0], f"no cure for {case.name}: {warned}")
        seen.add(case.error)
    with nginx(certs / "plain") as server:
        errors, _ = ours(bench, f"https://localhost:{server.port}/ok", "--cacert", certs / "ca.pem")
        equal(errors, ["tls: not TLS"], "errors of a server that speaks plain HTTP")
    return f"{len(seen) + 1} kinds, {len(CASES)} servers"


def the_systems_certificates_are_located_as_openssl_does(bench):
    """SSL_CERT_FILE and SSL_CERT_DIR work as in curl; if set without any certificate: exit 2, if TLS is needed."""
    certs = bench.dir
    self_signed(certs, "ca", subject="/CN=authority")
    signed(certs, "good", SAN)
    hashed, plain, empty = certs / "hashed", certs / "plain", certs / "empty"
    for folder in (hashed, plain, empty):
        folder.mkdir()
        if folder != empty:
            (folder / "ca.pem").write_bytes((certs / "ca.pem").read_bytes())
    openssl(certs, "rehash", str(hashed))
    (certs / "nothing.pem").write_text("nothing\n")
    with nginx(certs / "nginx", nginx_tls(certs, name="good")) as server:
        url = f"{server.tls_url}/ok"
        for env in ({"SSL_CERT_FILE": certs / "ca.pem"}, {"SSL_CERT_DIR": hashed}, {"SSL_CERT_DIR": f"{empty}:{hashed}"},
                    {"SSL_CERT_FILE": certs / "ca.pem", "SSL_CERT_DIR": hashed}):
            equal(ours(bench, url, env=env)[0], [], f"errors with {env}")
            equal(curl(url, env={key: str(value) for key, value in env.items()}), 0, f"curl with {env}")
        for env in ({}, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}):
            equal(ours(bench, url, env=env)[0], ["tls: certificate of an unknown issuer"], f"errors with {env}")
        for env in ({"SSL_CERT_FILE": certs / "nothing.pem"}, {"SSL_CERT_FILE": certs / "missing.pem"},
                    {"SSL_CERT_DIR": empty}, {"SSL_CERT_DIR": plain}, {"SSL_CERT_DIR": certs / "missing"}):
            (name, value), = env.items()
            ran = bench.run(url, "-n", "2", wrapper=["env", f"{name}={value}"])
            ran.must_exit(2)
            ran.one_line_naming(f"{name}={value}")
        # --cacert replaces the system's certificates, and -k needs none.
        for flags in (["--cacert", certs / "ca.pem"], ["-k"]):
            equal(ours(bench, url, *flags, env={"SSL_CERT_FILE": certs / "nothing.pem"})[0], [], f"errors with {flags}")
    with nginx(certs / "http") as server:
        equal(ours(bench, f"{server.url}/ok", env={"SSL_CERT_FILE": certs / "missing.pem"})[0], [], "errors without TLS")
    return "4 ways trusted, 5 refused with exit 2"


def unreadable_keys_are_reported_with_the_command_that_converts_them(bench):
    """Encrypted keys, PKCS #12 and DER: exit 2, one line; the command in it creates files that work."""
    certs = bench.dir
    self_signed(certs, "ca", subject="/CN=authority")
    signed(certs, "good", SAN)
    signed(certs, "me", "extendedKeyUsage=clientAuth", subject="/CN=me")
    secret = ["-passout", "pass:sesame"]
    openssl(certs, "pkcs8", "-topk8", "-in", "me.key", "-out", "pkcs8.key", *secret)
    openssl(certs, "ec", "-in", "me.key", "-aes128", "-out", "traditional.key", *secret)
    openssl(certs, "pkcs12", "-export", "-in", "me.pem", "-inkey", "me.key", "-out", "me.p12", *secret)
    openssl(certs, "x509", "-in", "me.pem", "-outform", "DER", "-out", "me.cer")
    openssl(certs, "pkcs8", "-topk8", "-nocrypt", "-in", "me.key", "-outform", "DER", "-out", "pkcs8.der")
    openssl(certs, "ec", "-in", "me.key", "-outform", "DER", "-out", "ec.der")
    verified = nginx_tls(certs, name="good") + f"\n ssl_client_certificate {certs}/ca.pem; ssl_verify_client on;"
    base = ["--cacert", certs / "ca.pem"]
    me, key = ["--cert", certs / "me.pem"], ["--key", certs / "me.key"]
    cases = [
        ([*me, "--key", certs / "pkcs8.key"], "is encrypted", lambda made: [*me, "--key", made]),
        ([*me, "--key", certs / "traditional.key"], "is encrypted", lambda made: [*me, "--key", made]),
        (["--cert", certs / "me.p12"], "PKCS #12", lambda made: ["--cert", made]),
        ([*me, "--key", certs / "me.p12"], "PKCS #12", lambda made: [*me, "--key", made]),
        (["--cert", certs / "me.cer", *key], "DER", lambda made: ["--cert", made, *key]),
        ([*me, "--key", certs / "pkcs8.der"], "DER", lambda made: [*me, "--key", made]),
        ([*me, "--key", certs / "ec.der"], "DER", lambda made: [*me, "--key", made]),
        (["--cacert", certs / "me.cer"], "DER", None),
        (["--cacert", certs / "me.p12"], "PKCS #12", None),
    ]
    with nginx(certs / "nginx", verified) as server:
        for flags, word, mended in cases:
            ran = bench.run(f"{server.tls_url}/ok", "-n", "2", *base, *flags)
            ran.must_exit(2)
            ran.one_line_naming(word)
            expect("sesame" not in ran.stderr, "a passphrase on stderr")
            command = ran.stderr[ran.stderr.rindex("openssl "):].split()
            more = ["-passin", "pass:sesame"] if word in ("is encrypted", "PKCS #12") else []
            openssl(certs, *command[1:], *more)
            if mended:
                made = certs / command[command.index("-out") + 1]
                errors, _ = ours(bench, f"{server.tls_url}/ok", *base, *mended(made))
                equal(errors, [], f"errors with what {' '.join(command)} made")
    return f"{len(cases)} files named, each with a command that makes one that works"


SCENARIOS = [
    a_certificate_given_by_cacert_is_trusted_as_in_curl,
    each_certificate_problem_has_its_own_message,
    the_systems_certificates_are_located_as_openssl_does,
    unreadable_keys_are_reported_with_the_command_that_converts_them,
]
