//! The recorder against a client that is played by hand.

use super::*;

struct Client {
    input: BufReader<TcpStream>,
    output: TcpStream,
}

impl Client {
    fn connect(recorder: &Recorder) -> Client {
        let output = TcpStream::connect(recorder.address()).unwrap();
        let mut client = Client { input: BufReader::new(output.try_clone().unwrap()), output };
        assert!(client.read().starts_with("220"));
        client
    }

    fn write(&mut self, text: &str) {
        self.output.write_all(text.as_bytes()).unwrap();
    }

    /// The last line of the next reply; empty once the connection is cut.
    fn read(&mut self) -> String {
        loop {
            let mut line = String::new();
            if self.input.read_line(&mut line).unwrap_or(0) == 0 || line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    fn say(&mut self, line: &str) -> String {
        self.write(&format!("{line}\r\n"));
        self.read()
    }

    /// The replies to one whole transaction.
    fn send(&mut self, to: &str, body: &str) -> Vec<String> {
        let mut said = vec![self.say("MAIL FROM:<ir@vendor.example>"), self.say(&format!("RCPT TO:<{to}>"))];
        if said[1].starts_with("250") {
            said.push(self.say("DATA"));
        }
        if said.last().unwrap().starts_with("354") {
            self.write(&format!("{body}\r\n.\r\n"));
            said.push(self.read());
        } else {
            self.say("RSET");
        }
        said
    }
}

fn codes(replies: &[String]) -> Vec<&str> {
    replies.iter().map(|reply| reply.get(..3).unwrap_or("")).collect()
}

fn check(behaviour: Behaviour, expected: &[&str], kept: usize) {
    let recorder = Recorder::start().unwrap();
    recorder.script("a@x.example", [behaviour]);
    let mut client = Client::connect(&recorder);
    assert_eq!(codes(&client.send("A@x.example", "hello")), expected);
    assert_eq!(recorder.accepted_for("a@X.example").len(), kept);
}

#[test]
fn an_accepted_message_is_kept_with_envelope_and_bytes() {
    let recorder = Recorder::start().unwrap();
    let mut client = Client::connect(&recorder);
    assert!(client.say("EHLO c.example").starts_with("250 "));
    let said = client.send("a@x.example", "Subject: one\r\n two\r\n\r\n..stuffed\r\nend");
    assert_eq!(codes(&said), ["250", "250", "354", "250"]);
    let messages = recorder.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].from, "ir@vendor.example");
    assert_eq!(messages[0].recipients, ["a@x.example"]);
    assert_eq!(messages[0].text(), "Subject: one\r\n two\r\n\r\n.stuffed\r\nend\r\n");
    assert_eq!(messages[0].header("SUBJECT").unwrap(), "one two");
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let recorder = Recorder::start().unwrap();
    let mut client = Client::connect(&recorder);
    client.write("MAIL FROM:<a@x.example> BODY=8BITMIME\r\nRCPT TO:<b@x.example>\r\nDATA\r\n");
    assert_eq!(codes(&[client.read(), client.read(), client.read()]), ["250", "250", "354"]);
    client.write("x\r\n.\r\nQUIT\r\n");
    assert_eq!(codes(&[client.read(), client.read()]), ["250", "221"]);
    assert_eq!(recorder.messages()[0].from, "a@x.example");
}

#[test]
fn a_refusal_comes_at_the_phase_that_was_asked_for() {
    check(Behaviour::Transient(Phase::Rcpt), &["250", "451"], 0);
    check(Behaviour::Permanent(Phase::Data), &["250", "250", "550"], 0);
    check(Behaviour::Permanent(Phase::Dot), &["250", "250", "354", "550"], 0);
    check(Behaviour::Garbage(Phase::Rcpt), &["250", "@@\u{1}"], 0);
}

#[test]
fn a_flood_is_a_megabyte_of_one_reply_without_its_end() {
    let recorder = Recorder::start().unwrap();
    recorder.always("a@x.example", Behaviour::Flood(Phase::Rcpt));
    let mut client = Client::connect(&recorder);
    client.say("MAIL FROM:<ir@vendor.example>");
    client.write("RCPT TO:<a@x.example>\r\n");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut client.input, &mut said).unwrap();
    assert!(said.len() > 1_000_000 && said.lines().all(|line| line.starts_with("250-")), "{}", said.len());
}

#[test]
fn a_cut_before_the_dot_keeps_nothing_and_one_after_it_keeps_the_message() {
    check(Behaviour::DropAt(Phase::BeforeDot), &["250", "250", "354", ""], 0);
    check(Behaviour::DropAt(Phase::Dot), &["250", "250", "354", ""], 0);
    check(Behaviour::DropAt(Phase::AfterDot), &["250", "250", "354", ""], 1);
}

#[test]
fn a_script_is_used_up_and_then_the_recipient_is_accepted() {
    let recorder = Recorder::start().unwrap();
    recorder.script("a@x.example", Behaviour::transient_times(Phase::Rcpt, 2));
    let mut client = Client::connect(&recorder);
    let last: Vec<String> = (0..3).map(|_| client.send("a@x.example", "x").pop().unwrap()).collect();
    assert_eq!(codes(&last), ["451", "451", "250"]);
}

#[test]
fn a_stall_is_silence_and_then_the_usual_reply() {
    let recorder = Recorder::start().unwrap();
    recorder.always("a@x.example", Behaviour::Stall(Phase::Rcpt, Duration::from_millis(150)));
    let begun = Instant::now();
    assert_eq!(codes(&Client::connect(&recorder).send("a@x.example", "x")), ["250", "250", "354", "250"]);
    assert!(begun.elapsed() >= Duration::from_millis(150));
}

#[test]
fn a_stopped_server_refuses_cuts_and_comes_back_on_its_port() {
    let mut recorder = Recorder::start().unwrap();
    let mut client = Client::connect(&recorder);
    client.send("a@x.example", "x");
    recorder.stop();
    assert!(TcpStream::connect(recorder.address()).is_err());
    assert_eq!(client.read(), "");
    recorder.restart().unwrap();
    Client::connect(&recorder).send("a@x.example", "x");
    assert_eq!(recorder.count(), 2);
}

#[test]
fn the_log_holds_each_message_before_its_reply() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let recorder = Recorder::start_with_log(&log).unwrap();
    let mut client = Client::connect(&recorder);
    for n in 1..=3 {
        client.send("a@x.example", &format!("grüße {n}"));
        assert_eq!(read_log(&log).unwrap(), recorder.messages());
        assert_eq!(recorder.count(), n);
    }
}

#[test]
fn an_extension_that_is_switched_off_is_not_offered() {
    let recorder = Recorder::start_with(Options::default().without("SIZE").without("PIPELINING")).unwrap();
    let mut client = Client::connect(&recorder);
    client.write("EHLO c.example\r\nQUIT\r\n");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut client.input, &mut said).unwrap();
    assert!(said.contains("8BITMIME") && !said.contains("PIPELINING") && !said.contains("SIZE"), "{said}");
}
