//! `explain pod`: the chain of facts, and what to do where it breaks.

use std::fmt::Write as _;

use daemon_api::explain::{AttachmentStory, PodStory, StepState};

use crate::table::printable;

/// True when a step of the story is broken, or when there is no story.
pub(crate) fn is_broken(story: &PodStory) -> bool {
    story.attachments.is_empty() || story.attachments.iter().any(|a| first(a, StepState::Fail).is_some())
}

/// The text for people.
pub(crate) fn render(story: &PodStory) -> String {
    let mut text = format!("pod {}/{}\n", story.namespace, story.name);
    if story.attachments.is_empty() {
        text.push_str("  nothing is known of it on this node\n");
    }
    for attachment in &story.attachments {
        text.push_str(&chapter(attachment));
    }
    text
}

fn chapter(attachment: &AttachmentStory) -> String {
    let sandbox = match attachment.container_id.as_str() {
        "" => "parked".to_owned(),
        id => format!("sandbox {}", id.get(..12).unwrap_or(id)),
    };
    let mut text = format!("  {} of {}, {sandbox}\n", attachment.interface, attachment.provider);
    let width = attachment.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or_default();
    let first_broken = first(attachment, StepState::Fail).or_else(|| first(attachment, StepState::Warn));
    for (index, step) in attachment.steps.iter().enumerate() {
        let mark = match step.state {
            StepState::Ok => '✓',
            StepState::Warn => '!',
            StepState::Fail => '✗',
        };
        let line = format!("    {mark} {:width$}  {}", step.name, printable(&step.detail));
        let _ = writeln!(text, "{}", line.trim_end());
        if first_broken == Some(index) && !step.fix.is_empty() {
            let _ = writeln!(text, "      {:width$}  → {}", "", printable(&step.fix));
        }
    }
    text
}

fn first(attachment: &AttachmentStory, state: StepState) -> Option<usize> {
    attachment.steps.iter().position(|step| step.state == state)
}

#[cfg(test)]
mod tests {
    use daemon_api::explain::Step;

    use super::*;

    fn story(states: &[StepState]) -> PodStory {
        let steps = states
            .iter()
            .zip(["subnet", "claim", "interface", "route"])
            .map(|(state, name)| Step {
                name: name.into(),
                state: *state,
                detail: format!("the {name}"),
                fix: format!("mend the {name}"),
            })
            .collect();
        let attachment = AttachmentStory {
            interface: "eth0".into(),
            provider: "ext.kube-system".into(),
            container_id: "0123456789abcdef".into(),
            steps,
        };
        PodStory { namespace: "ns1".into(), name: "web".into(), attachments: vec![attachment] }
    }

    #[test]
    fn the_fix_stands_under_the_first_broken_step_only() {
        let broken = story(&[StepState::Ok, StepState::Warn, StepState::Fail, StepState::Fail]);

        assert!(is_broken(&broken));
        assert_eq!(
            render(&broken),
            "pod ns1/web
  eth0 of ext.kube-system, sandbox 0123456789ab
    ✓ subnet     the subnet
    ! claim      the claim
    ✗ interface  the interface
                 → mend the interface
    ✗ route      the route
"
        );
    }

    #[test]
    fn a_warning_is_no_failure_and_still_says_what_to_do() {
        let odd = story(&[StepState::Ok, StepState::Warn]);

        assert!(!is_broken(&odd));
        assert!(
            render(&odd).ends_with("    ! claim   the claim\n              → mend the claim\n"),
            "{}",
            render(&odd)
        );
    }

    #[test]
    fn a_pod_that_nobody_knows_is_broken() {
        let nothing = PodStory { attachments: vec![], ..story(&[]) };

        assert!(is_broken(&nothing));
        assert_eq!(render(&nothing), "pod ns1/web\n  nothing is known of it on this node\n");
    }
}
