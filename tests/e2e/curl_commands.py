"""Commands for scenarios_curl.py: each as a shell gets it, with {url} for the server and {at} for its host and port.

A command whose request differs from curl's has, behind it, what import has to say about it on standard error."""

# The files that commands name, in the folder where they run.
FILES = {
    "plain.txt": b"plain text", "lines.txt": b"one\ntwo\r\n", "form.txt": b"a=1&b=2", "data.json": b'{"k": [1, 2]}\n',
    "photo.png": b"\x89PNG\r\n\x1a\n\x00", "headers.txt": b"X-One: 1\nX-Two: two words\n", "blank name.txt": b"x",
}
ENVIRONMENT = {"TOKEN": "t0ken", "ID": "42", "NAME": "amy", "PASSWORD": "p w"}

LATE = "sent at once, without the Expect: 100-continue"
EMPTY = "has Content-Length: 0, which curl leaves out"

SAME = [
    # Methods, URLs
    "curl {url}/", "curl {url}", "curl {at}/path", "curl {url}?x=1", "curl '{url}/a?b=c&d=e#top'", "curl --url {url}/x",
    "curl -X DELETE {url}/x", "curl -XPATCH {url}/x -d a=1", "curl -X post {url}/x -d a=1", "curl -X GET {url}/x -d a=1",
    "curl -I {url}/x", "curl --head {url}/x -s", "curl '{url}/a/../b/./c//d/..'", "curl --path-as-is '{url}/a/../b'",
    "curl '{url}/caf\u00e9'", "curl {url}/one {url}/two", "curl {url}/1 -d a --next -I {url}/2",
    "curl -X OPTIONS {url}/x", "curl --request-target /other {url}/x", "curl -- {url}/x", "curl -g '{url}/$x'",
    "curl '{url}/$' -H 'X: ${{y'", "curl -d 'a=${{b}}' {url}/x",
    # Ranges and sets
    "curl '{url}/[1-3]'", "curl '{url}/[01-05:2]/{{a,b}}'", "curl '{url}/[a-c]?x={{1,2}}'", "curl '{url}/\\[a\\]'",
    "curl '{url}/x?id[]=1&id[]=[2-3]'",
    # Data
    "curl -d a=1 {url}/x", "curl -d 'a=1&b=2' {url}/x", "curl -d 'a b=c d' {url}/x", "curl -d '' {url}/x",
    "curl -d a=1 -d b=2 --data c=3 {url}/x", "curl -d x -d @plain.txt -d y {url}/x", "curl -d @lines.txt {url}/x",
    "curl -d @form.txt {url}/x", "curl --data-binary @lines.txt {url}/x", "curl --data-binary @photo.png {url}/x",
    "curl --data-raw @lines.txt {url}/x", "curl --data-ascii @lines.txt --data-binary @lines.txt {url}/x",
    "curl --data-urlencode 'a b' {url}/x", "curl --data-urlencode '=c d&e' {url}/x", "curl --data-urlencode 'n=a b&c' {url}/x",
    "curl --data-urlencode @lines.txt {url}/x", "curl --data-urlencode n@lines.txt {url}/x",
    "curl --data-urlencode 'a=\u00fc~-._*' -d b=%20 {url}/x", "curl -G -d a=1 -d b=2 '{url}/x?y=0'",
    "curl -G {url}/x --data-urlencode 'q=a b&c'", "curl -G -I -d a=1 {url}/x", "curl -d a=1 -G -X POST-IT {url}/x",
    "curl --url-query 'a=b c' --url-query +d=e '{url}/x?y=0'", "curl --get {url}/x; curl {url}/y",
    # JSON
    "curl --json '{{\"a\":1}}' {url}/x", "curl --json '{{\"a\": 1,  \"b\": \"\\u00e9\"}}' {url}/x",
    "curl --json '{{\"a\":1' --json ',\"b\":2}}' {url}/x", "curl --json @data.json {url}/x",
    "curl -H 'Content-Type: application/json' -d '{{\"a\":1,\"a\":2}}' {url}/x",
    "curl -H 'content-type: application/json; charset=utf-8' -d '{{\"z\":[1.50,null],\"a\":{{}}}}' {url}/x",
    "curl -H 'Content-Type: application/vnd.api+json' --data-raw '{{\"a\":\"b\"}}' {url}/x",
    "curl -d '{{\"a\":1}}' {url}/x", "curl --json '[1]' -H 'Accept: text/plain' -H 'Content-Type: application/x' {url}/x",
    # Forms with files
    "curl -F a=b -F 'c=d e' {url}/x", "curl -F 'a=\"b\"' -F 'x={{\"k\":1}};type=application/json' {url}/x",
    "curl -F file=@plain.txt {url}/x", "curl -F 'f=@photo.png;filename=up.jpg' -F 'g=@photo.png;type=image/x-png' {url}/x",
    "curl -F 'f=<plain.txt' -F 'g=@blank name.txt' {url}/x", "curl --form-string 'a=@b;type=c' -F 'q\"n=1' {url}/x",
    "curl -F 'a= b ;type=text/plain;charset=utf-8;filename=\"x\\\"y.txt\"' {url}/x", "curl -F a=b -H 'Content-Type: multipart/form-data' {url}/x",
    "curl --location --request POST '{url}/upload' --form 'token=\"abc\"' --form 'name=\"x\"'", "curl -X PUT -F 'a=b;c=d' {url}/x",
    # Header fields
    "curl -H 'X-A: 1' -H 'x-b:2' -H 'X-C:   3  ' {url}/x", "curl -H 'X-Empty;' -H 'Nothing' {url}/x", "curl -H 'Accept:' {url}/x",
    "curl -H 'User-Agent:' {url}/x", "curl -A '' {url}/x", "curl -A 'agent 1.0' -e http://r.example/ {url}/x",
    "curl -H 'Host: shop.example.com' {url}/", "curl -H 'Host:' {url}/x", "curl -H 'Content-Type:' -d a=1 {url}/x", "curl -H @headers.txt {url}/x",
    "curl -b a=1 -b b=2 {url}/x", "curl -b 'a=1; b=2' {url}/x", "curl -b a=1 -H 'Cookie: c=3' {url}/x", "curl -r 0-9 {url}/x",
    "curl -r 10 {url}/x", "curl -C 5 -o /dev/null {url}/x", "curl --compressed {url}/x", "curl -H 'Connection: close' {url}/x",
    "curl -H 'Authorization: Bearer $x' {url}/x", "curl -H 'X: \u00fcml\u00e4ut' {url}/x", "curl --no-compressed --compressed {url}/x",
    # Credentials
    "curl -u amy:secret {url}/x", "curl -u amy: {url}/x", "curl http://user:p%40ss@{at}/x", "curl http://user@{at}/x",
    "curl -u amy:pw http://bob:x@{at}/x", "curl -u a:b -H 'Authorization: own' {url}/x", "curl --oauth2-bearer tok {url}/x",
    "curl --basic -u 'a:b:\u00fc' {url}/x",
    # Redirects
    "curl http://LOCALHOST:{port}/x", "curl {url}/redirect", "curl -L {url}/redirect", "curl -L --max-redirs 3 -d a=1 {url}/redirect", "curl -L -I {url}/redirect",
    # Spellings of options
    "curl -sSfkX PUT -d a {url}/x", "curl -XPUT -HA:b -da=1 {url}/x", "curl --data-u 'a=b c' {url}/x", "curl --HEADER 'A: b' {url}/x",
    "curl -o/dev/null -w '%{{http_code}}' --max-t 9 {url}/x", "curl --no-buffer -N -# --no-location {url}/x",
    # The shell around it
    "$ curl {url}/x -d a", "sudo curl {url}/x", "A=b curl {url}/x", "TOKEN=abc; curl -H \"X: $TOKEN\" {url}/x", "curl {url}/x > out.txt",
    "curl {url}/x 2>/dev/null >>out.txt", "curl {url}/x | cat", "curl {url}/x # a comment", "# a comment\ncurl {url}/x &",
    "curl -H \"Authorization: Bearer $TOKEN\" {url}/x", "curl \"{url}/items/${{ID}}?id=$ID\"", "curl -d \"id=$ID&x=\\$y\" {url}/x", "curl --data-urlencode \"a=x y$PASSWORD\" --data-urlencode 'b=\u00fc$' {url}/x",
    "curl -d \"{{\\\"id\\\": $ID}}\" -H 'Content-Type: application/json' {url}/x", "curl {url}/x \\\n  -H 'A: b' \\\n  -d c",
    "curl --data-raw $'caf\\xc3\\xa9 \\u00e9\\n\\'\\x41\\101\\e' {url}/x", "curl --data-urlencode $'a=\\xff\\0' {url}/x",
    "curl -d @- {url}/x <<'END'\n{{\"a\": 1}}\nEND", "curl -d @- {url}/x < lines.txt", "curl -d @- {url}/x <<< 'a b'",
    "curl {url}/1; curl {url}/2 && curl {url}/3", "curl -d 'it'\\''s' {url}/x", "curl -d \"a\\\"b\\\\c\\`\" {url}/x",
]

DIFFERENT = [
    ("curl -X POST {url}/x", EMPTY), ("curl -X PUT {url}/x -H 'A: b'", EMPTY),
    ("curl -T plain.txt {url}/put/", LATE), ("curl -T plain.txt {url}/put", LATE), ("curl -T 'blank name.txt' '{url}/put/?q=1'", LATE),
    ("curl -T plain.txt {url}/1 {url}/2", LATE), ("curl -T - {url}/x < lines.txt", "curl sends it in chunks"),
    ("curl -g '{url}/[1]|{{a}}^`\"<>'", "in a URL is sent encoded"),
    ("curl -H 'A: 1' -H 'A: 2' {url}/x", "-H A: is given several times"), ("curl '{url}/x?q=\u00fc'", "in a URL is sent encoded"),
    ("curl -H 'Content-Length: 1' -d a=1 {url}/x", "-H Content-Length: left out"),
    ("curl -H 'Transfer-Encoding: chunked' -d a {url}/x", "-H Transfer-Encoding: left out"),
    ("curl -H 'X Y: 1' {url}/x", "HTTP does not allow"), ("curl --http1.0 {url}/x", "--http1.0: left out"),
    ("curl --http2 {url}/x", "--http2: left out"), ("curl --digest -u a:b -d x {url}/x", "--digest: left out"),
    ("curl --aws-sigv4 aws:amz:us-east-1:s3 -u k:s {url}/x", "--aws-sigv4: left out"),
    ("curl -F 'a=b;headers=\"X: 1\"' {url}/x", "headers= is left out"), ("curl -F 'f=@plain.txt,lines.txt' {url}/x", "several files in one part"),
    ("curl --form-escape -F 'a\"b=c' {url}/x", "--form-escape: left out"), ("curl --crlf -T lines.txt {url}/x", "--crlf: left out"),
    ("curl --data-raw $'a=\\xff' {url}/x", "not UTF-8"), ("echo hi | curl -d @- {url}/x", "standard input"),
    ("curl -K options.txt {url}/x", "-K options.txt: left out"), ("curl --request-target '*' -X OPTIONS {url}/", "--request-target *"),
    ("curl -u \"$NAME:$PASSWORD\" {url}/x", "set AUTHORIZATION to"), ("curl -L -X POST -d a=1 {url}/redirect", "-X with -L"),
    ("curl --data-urlencode \"a=$PASSWORD\" -d b {url}/x", "is not encoded"), ("curl -b cookies.txt {url}/x", "cookies of a file are left out"),
    ("curl -z 'Wed, 01 Jan 2020 00:00:00 GMT' {url}/x", "-z Wed, 01 Jan 2020 00:00:00 GMT: left out"),
]
