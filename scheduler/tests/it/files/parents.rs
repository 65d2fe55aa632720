//! Files that were asked for by a parent, whose members they name.

use super::{Delivered, job, refused, succeed};

#[tokio::test]
async fn a_parent_means_the_members_that_its_file_names() {
    let asked = "
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.FUT]
stype_in: parent
start: 2024-01-08
end: 2024-01-11
chunking: {days: 1}
";
    let delivered = Delivered::of(asked).await;
    let (installation, _) = delivered.installation().await;
    succeed(&installation, &job(&installation, asked)).await;
    assert_eq!(installation.tables().await, delivered.vendor.tables().await);
}

#[tokio::test]
async fn several_parents_of_one_file_are_loaded_all_together_or_not_at_all() {
    let asked = "
dataset: GLBX.MDP3
schemas: [trades]
symbols: [CL.FUT, ES.FUT]
stype_in: parent
start: 2024-01-08
end: 2024-01-10
chunking: {days: 1}
";
    let delivered = Delivered::of(asked).await;
    let (installation, _) = delivered.installation().await;
    let why = "whose members are whose";
    let one = asked.replace("CL.FUT, ", "");
    refused(&installation, &one, "trades-2024-01-08", why).await;
    let cut = asked.replace("days: 1", "days: 1, symbols: 1");
    refused(&installation, &cut, "trades-2024-01-08", why).await;
    succeed(&installation, &job(&installation, asked)).await;
    let (ours, vendors) = (installation.tables().await, delivered.vendor.tables().await);
    for table in ["trades_data", "coverage"] {
        assert_eq!(ours[table], vendors[table], "{table}");
    }
}
