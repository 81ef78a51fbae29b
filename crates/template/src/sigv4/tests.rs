//! AWS's published signature test suite (all cases with header signing that a request can come to here), the S3 examples of AWS's
//! documentation, and the calendar.

use super::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HOST: (&str, &str) = ("host", "example.amazonaws.com");
const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");
const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SHORT_TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
const LONG_TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

/// Method, path and query.
type Line<'a> = (&'a str, &'a str, &'a str);
type Headers<'a> = &'a [(&'a str, &'a str)];

struct Suite {
    secret: &'static str,
    at: i64,
    service: &'static str,
}

const GENERAL: Suite = Suite {
    secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    at: 1_440_938_160,
    service: "service",
};
const S3: Suite = Suite {
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    at: 1_369_353_600,
    service: "s3",
};

impl Suite {
    /// The signature in hexadecimal.
    fn sign(&self, (method, path, query): Line<'_>, headers: Headers<'_>, body: &str) -> String {
        let stamp = Stamp::of(self.at);
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes()))
            .collect();
        headers.sort_unstable();
        let payload_hash = sha256_hex(body.as_bytes());
        let message = Message {
            method,
            path: path.as_bytes(),
            query: query.as_bytes(),
            headers: &headers,
            payload_hash: payload_hash.as_slice(),
        };
        let signer = Signer {
            secret: self.secret.as_bytes(),
            stamp: &stamp,
            region: b"us-east-1",
            service: self.service.as_bytes(),
        };
        let mut hex = Buffer::default();
        escape::hex(signer.sign(&message).as_slice(), &mut hex);
        String::from_utf8(hex.as_slice().to_vec()).unwrap()
    }
}

#[test]
fn lines_and_queries_of_the_published_suite() {
    let twice = format!("{UNRESERVED}={UNRESERVED}");
    let unreserved = format!("/{UNRESERVED}");
    let table: [(&str, Line<'_>, &str); 14] = [
        (
            "get-vanilla",
            ("GET", "/", ""),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-empty-query-key",
            ("GET", "/", "Param1=value1"),
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
        (
            "get-vanilla-query-order-encoded",
            ("GET", "/", "Param-3=Value3&Param=Value2&%E1%88%B4=Value1"),
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        (
            "get-vanilla-query-order-key-case",
            ("GET", "/", "Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-query-unreserved",
            ("GET", "/", &twice),
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            "get-vanilla-utf8-query",
            ("GET", "/", "ሴ=bar"),
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-unreserved",
            ("GET", &unreserved, ""),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-utf8",
            ("GET", "/ሴ", ""),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "get-space-normalized",
            ("GET", "/example space/", ""),
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        (
            "get-slash-normalized",
            ("GET", "//", ""),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-slashes-normalized",
            ("GET", "//example//", ""),
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        (
            "get-slash-pointless-dot-normalized, without the dot",
            ("GET", "/example", ""),
            "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        ),
        (
            "post-vanilla, post-header-key-case",
            ("POST", "/", ""),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-vanilla-query",
            ("POST", "/", "Param1=value1"),
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
    ];
    for (name, line, signature) in table {
        assert_eq!(GENERAL.sign(line, &[HOST, DATE], ""), signature, "{name}");
    }
}

#[test]
fn headers_and_bodies_of_the_published_suite() {
    let form = "application/x-www-form-urlencoded";
    let form_utf8 = "application/x-www-form-urlencoded; charset=utf-8";
    let hash = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
    let sent = |content_type| {
        [
            ("content-length", "13"),
            ("content-type", content_type),
            ("x-amz-content-sha256", hash),
        ]
    };
    let table: [(&str, &str, Headers<'_>, &str, &str); 7] = [
        (
            "get-header-value-trim",
            "GET",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "get-vanilla-with-session-token",
            "GET",
            &[("x-amz-security-token", SHORT_TOKEN)],
            "",
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        (
            "post-header-key-sort",
            "POST",
            &[("my-header1", "value1")],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-header-value-case",
            "POST",
            &[("my-header1", "VALUE1")],
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "post-sts-header-before",
            "POST",
            &[("x-amz-security-token", LONG_TOKEN)],
            "",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            &sent(form),
            "Param1=value1",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
        (
            "post-x-www-form-urlencoded-parameters",
            "POST",
            &sent(form_utf8),
            "Param1=value1",
            "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
        ),
    ];
    for (name, method, own, body, signature) in table {
        let headers = [own, &[HOST, DATE]].concat();
        assert_eq!(
            GENERAL.sign((method, "/", ""), &headers, body),
            signature,
            "{name}"
        );
    }
}

#[test]
fn the_s3_examples_of_the_documentation() {
    let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    let put = [
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ];
    let table: [(Line<'_>, Headers<'_>, &str, &str, &str); 5] = [
        (
            ("GET", "/test.txt", ""),
            &[("range", "bytes=0-9")],
            "",
            EMPTY,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            ("PUT", "/test%24file.text", ""),
            &put,
            "Welcome to Amazon S3.",
            hash,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        // The same name with the sign as it stands: S3 signs the name, not its spelling.
        (
            ("PUT", "/test$file.text", ""),
            &put,
            "Welcome to Amazon S3.",
            hash,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            ("GET", "/", "lifecycle"),
            &[],
            "",
            EMPTY,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            ("GET", "/", "prefix=J&max-keys=2"),
            &[],
            "",
            EMPTY,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for (line, own, body, hash, signature) in table {
        let mut headers = own.to_vec();
        headers.extend([
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", hash),
            ("x-amz-date", "20130524T000000Z"),
        ]);
        assert_eq!(S3.sign(line, &headers, body), signature, "{line:?}");
    }
}

fn written(write: impl Fn(&mut Buffer)) -> String {
    let mut out = Buffer::default();
    write(&mut out);
    String::from_utf8(out.as_slice().to_vec()).unwrap()
}

#[test]
fn what_is_encoded_on_the_wire_is_encoded_once_more_unless_it_is_s3() {
    let table = [
        ("/a%20b", "/a%20b", "/a%2520b"),
        ("/a%2fb", "/a/b", "/a%252fb"),
        ("/a+b(c)", "/a%2Bb%28c%29", "/a%2Bb%28c%29"),
        ("/a//b/", "/a//b/", "/a/b/"),
        ("/%", "/%25", "/%25"),
        ("", "", "/"),
    ];
    for (path, s3, others) in table {
        let canonical = |s3| written(|out| canonical_path(path.as_bytes(), s3, out));
        assert_eq!(
            (canonical(true).as_str(), canonical(false).as_str()),
            (s3, others),
            "{path}"
        );
    }
}

#[test]
fn queries_are_decoded_sorted_and_encoded() {
    let table = [
        ("b=2&a=1&a=0", "a=0&a=1&b=2"),
        ("&&x&", "x="),
        ("q=a+b%20c%2Bd", "q=a%20b%20c%2Bd"),
        ("k=a=b/c:d", "k=a%3Db%2Fc%3Ad"),
        ("a%=%zz", "a%25=%25zz"),
        ("=v", "=v"),
    ];
    for (query, canonical) in table {
        assert_eq!(
            written(|out| canonical_query(query.as_bytes(), out)),
            canonical,
            "{query}"
        );
    }
}

#[test]
fn stamps_follow_the_calendar() {
    let table = [
        (0, "19700101T000000Z"),
        (-1, "19691231T235959Z"),
        (951_782_400, "20000229T000000Z"),
        (1_440_938_160, "20150830T123600Z"),
        (1_709_251_199, "20240229T235959Z"),
        (1_735_689_599, "20241231T235959Z"),
        (4_107_542_400, "21000301T000000Z"),
    ];
    for (unix, stamp) in table {
        assert_eq!(Stamp::of(unix).as_str(), stamp);
    }
}
