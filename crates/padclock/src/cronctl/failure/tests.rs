//! Exit codes and the words of failures.

use padclock_api::client::{BadUrl, ClientError};
use padclock_api::{ErrorBody, ErrorCode, ErrorDetail};

use super::Failure;

fn refused(code: ErrorCode) -> Failure {
    let body = ErrorBody {
        code,
        message: "no".to_owned(),
        details: Vec::new(),
        request_id: "req_1".to_owned(),
    };
    Failure::Call(ClientError::Refused(Box::new(body)))
}

#[test]
fn each_failure_has_its_exit_code() {
    let table = [
        (Failure::ReaderGone, 0),
        (Failure::Error("x".to_owned()), 1),
        (refused(ErrorCode::ValidationError), 1),
        (refused(ErrorCode::NotFound), 1),
        (refused(ErrorCode::RateLimited), 1),
        (refused(ErrorCode::Internal), 1),
        (Failure::Call(ClientError::NotText), 1),
        (Failure::Usage("x".to_owned()), 2),
        (Failure::Call(BadUrl::PlainHttp.into()), 2),
        (Failure::RunFailed, 3),
        (Failure::NoToken("x".to_owned()), 4),
        (Failure::Call(ClientError::BadToken), 4),
        (refused(ErrorCode::Unauthorized), 4),
        (refused(ErrorCode::Forbidden), 5),
        (refused(ErrorCode::Conflict), 5),
        (refused(ErrorCode::PreconditionFailed), 5),
    ];
    for (failure, code) in table {
        assert_eq!(failure.code(), code, "{failure:?}");
    }
}

#[test]
fn details_are_told_unless_the_message_has_told_them() {
    let detail = |field: &str, message: &str, position| ErrorDetail {
        field: field.to_owned(),
        code: "c".to_owned(),
        message: message.to_owned(),
        position,
    };
    let body = ErrorBody {
        code: ErrorCode::ValidationError,
        message: "name: is too long".to_owned(),
        details: vec![
            detail("name", "is too long", None),
            detail("", "lacks a kind", None),
            detail("url", "is odd", Some(4)),
        ],
        request_id: String::new(),
    };
    let failure = Failure::Call(ClientError::Refused(Box::new(body)));
    assert_eq!(
        failure.lines(None),
        [
            "name: is too long",
            "lacks a kind",
            "url: is odd (at byte 4)"
        ]
    );
}

#[test]
fn where_the_token_came_from_is_told_when_it_is_at_fault() {
    assert_eq!(
        refused(ErrorCode::Unauthorized).lines(Some("FILE")),
        ["no", "the token came from FILE"]
    );
    assert_eq!(refused(ErrorCode::Forbidden).lines(Some("FILE")), ["no"]);
    assert_eq!(
        refused(ErrorCode::Internal).lines(Some("FILE")),
        ["no", "the server's log knows it as req_1"]
    );
}
