// ANCHOR: all
use std::fmt;

mod shown {
    // ANCHOR: broken
    #[derive(Debug)]
    pub struct Answer {
        pub access_token: String,
    }
    // ANCHOR_END: broken
}

// ANCHOR: fixed
#[derive(Debug)]
struct Answer {
    access_token: Secret,
}

struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
// ANCHOR_END: fixed

fn main() {
    let answer = shown::Answer { access_token: "eyJhbGciOi".into() };
    println!("a String: {answer:?}");
    assert!(format!("{answer:?}").contains(&answer.access_token));

    let answer = Answer { access_token: Secret(answer.access_token) };
    println!("a Secret: {answer:?}");
    assert_eq!(format!("{answer:?}"), "Answer { access_token: Secret }");
    assert_eq!(answer.access_token.0, "eyJhbGciOi");
}
// ANCHOR_END: all
