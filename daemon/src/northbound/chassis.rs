//! The name under which OVN knows this node: its own Open vSwitch tells it.

use ovn::cell::Found;
use ovn::vswitch::{LocalTable, OpenVSwitch};
use ovsdb::view::View;
use tokio::sync::watch;

/// Follows the node's `system-id`; `None` while it is not known. A name that was known stays while the database is down.
pub(super) fn follow(vswitch: Option<View>) -> watch::Receiver<Option<String>> {
    let (told, chassis) = watch::channel(None);
    tokio::spawn(async move {
        if let Some(view) = vswitch {
            tell(view, &told).await;
        }
        // What follows us must not take the end for news.
        told.closed().await;
    });
    chassis
}

async fn tell(mut view: View, told: &watch::Sender<Option<String>>) {
    loop {
        let last = told.borrow().clone();
        let news = view.wait_for(|view| system_id(view).filter(|id| Some(id) != last.as_ref()));
        tokio::select! {
            id = news => match id {
                Ok(id) => told.send_replace(Some(id)),
                Err(_closed) => return,
            },
            () = told.closed() => return,
        };
    }
}

fn system_id(view: &View) -> Option<String> {
    let rows = view.rows(LocalTable::OpenVSwitch.name());
    rows.iter().find_map(|(_, row)| OpenVSwitch::read(Found(row)).system_id).filter(|id| !id.is_empty())
}
