//! From received bytes to answers, telling what is wrong instead of panicking.

use pws_testing::answer::Answer;

/// All answers in `bytes`, interim ones too, and nothing else. `are_to_head` has a value for each final answer;
/// those beyond it are not to HEAD. `is_closed`: no more bytes come.
pub fn answers(mut bytes: &[u8], are_to_head: &[bool], is_closed: bool) -> Result<Vec<Answer>, String> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut are_to_head = are_to_head.iter().copied().peekable();
    while !bytes.is_empty() {
        let is_to_head = are_to_head.peek().is_some_and(|is_to_head| *is_to_head);
        let parsed = Answer::parse(bytes, is_to_head, is_closed)?;
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
        let (answer, len) = parsed.ok_or_else(|| format!("no whole answer: {:?}", shown()))?;
        if !answer.is_interim() {
            are_to_head.next();
        }
        answers.push(answer);
        bytes = &bytes[len..];
    }
    Ok(answers)
}
