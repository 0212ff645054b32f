//! One receiving system that answers slowly, among others that do not.

use std::time::Duration;

use testkit::process::Backend;
use testkit::smtp::{Behaviour, Phase, Recorder};

use crate::setup::Stage;

#[test]
fn a_system_that_hangs_holds_up_its_own_mail_only() {
    const QUICK: usize = 200;
    const SLOW: usize = 20;
    let stage = Stage::new(Backend::Sqlite);
    let mut directory = String::from("domain,tenant_id,tenant_name,country,language\n");
    let mut contacts = String::from("tenant_id,role,name,email,language\n");
    let mut manifest = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for n in 0..QUICK + SLOW {
        let system = if n < SLOW { "slow.example".to_owned() } else { format!("org{n:05}.example") };
        directory.push_str(&format!("org{n:05}.example,t-{n:05},Organisation {n},US,en\n"));
        contacts.push_str(&format!("t-{n:05},security,Contact {n},security{n}@{system},en\n"));
        manifest.push_str(&format!(
            "box/{n}.pdf,org{n:05}.example,p@org{n:05}.example,invoice,2020-01-02,10,prj-{n},u-{n}\n"
        ));
    }
    let [directory, contacts, manifest, shared] =
        [("d.csv", directory), ("c.csv", contacts), ("m.csv", manifest), ("s.txt", "gmail.example\n".to_owned())]
            .map(|(name, text)| stage.file(name, &text));
    stage.directory(&directory, &contacts);
    stage.import(&[&manifest], &shared);
    stage.release();
    let recorder = Recorder::start().unwrap();
    // Longer than the test: what waits behind one of these is not sent.
    for n in 0..SLOW {
        recorder.always(&format!("security{n}@slow.example"), Behaviour::Stall(Phase::Rcpt, Duration::from_secs(40)));
    }
    let mut worker = stage.run.sending_to(&recorder.url()).spawn(&["worker"]);
    // The first mails claimed are the slow ones: more than there are connections.
    assert!(recorder.wait_for(QUICK, Duration::from_secs(30)), "{} of {QUICK}: {}", recorder.count(), worker.said());
    worker.kill();
}
