//! What a daemon says that is started on such a disk, and ends with.

use crate::broker::Broker;
use crate::disk::{Disk, without_override};
use crate::faults::{TOPIC, home, messages};
use crate::support::process::Process;
use crate::support::seconds;

const LIMIT: std::time::Duration = seconds(60);

#[test]
#[ignore = "needs to mount: cargo xtask disk"]
fn a_start_on_a_read_only_disk_ends_with_1_and_names_the_file_and_the_key() {
    let (broker, disk) = (Broker::start(&[(TOPIC, 1)]), Disk::mount());
    disk.set_read_only(true);
    let (code, words) = home(&broker, &disk).run_in_vain();
    assert_eq!(code, Some(1), "{words}");
    for part in ["cannot open ", "state/lock", "Read-only file system", "checkpoint.directory"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
#[ignore = "needs to mount: cargo xtask disk"]
fn a_first_start_on_a_full_disk_ends_with_1_and_names_the_file_and_the_key() {
    let (broker, disk) = (Broker::start(&[(TOPIC, 1)]), Disk::mount());
    disk.fill();
    let (code, words) = home(&broker, &disk).run_in_vain();
    assert_eq!(code, Some(1), "{words}");
    for part in ["cannot write ", "instance-id.tmp", "No space left on device", "checkpoint.directory"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
#[ignore = "needs to mount: cargo xtask disk"]
fn a_start_without_permission_ends_with_1_and_names_the_file_and_the_key() {
    let (broker, disk) = (Broker::start(&[(TOPIC, 1)]), Disk::mount());
    disk.set_closed(true);
    let command = home(&broker, &disk);
    let mut process = Process::start("latido", &mut without_override(&command.command(&["run"], &[])));
    let code = process.wait_end(LIMIT);
    let words = process.stderr.text();
    assert_eq!(code, Some(1), "{words}");
    for part in ["cannot open ", "state/lock", "Permission denied", "checkpoint.directory"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
#[ignore = "needs to mount: cargo xtask disk"]
fn a_restart_on_a_disk_that_is_full_reads_on_from_the_checkpoint_and_a_stop_there_is_told_as_a_failure() {
    let (broker, disk) = (Broker::start(&[(TOPIC, 1)]), Disk::mount());
    let home = home(&broker, &disk);
    broker.write(TOPIC, &messages(40));
    let mut first = home.start();
    first.wait_scored(40, LIMIT);
    first.stop();

    disk.fill();
    broker.write(TOPIC, &messages(10));
    let mut second = home.start();
    let samples = second.wait_scored(10, LIMIT);
    assert_eq!(samples.count("latido_messages_total", &[]), 10, "no start from nothing");
    let told = second.wait_unready("checkpoint: ", LIMIT);
    assert!(told.contains("No space left on device"), "{told}");
    let (code, words) = second.stop_in_vain();
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("The last checkpoint was not saved"), "{words}");

    disk.free();
    let mut third = home.start();
    third.wait_scored(10, LIMIT);
    third.stop();
    assert_eq!(home.checkpoint().messages_from(0).values().sum::<u64>(), 50, "each once");
}
