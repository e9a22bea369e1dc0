//! Answers that go wrong on purpose, byte by byte.

use super::*;

#[tokio::test]
async fn a_dropped_answer_has_no_byte_and_the_training_runs() {
    let bench = Bench::with(&["create@1:drop-after-effect", "create@2:drop-before-effect"], None).await;
    assert_eq!(bench.create("ana.mp4", "phoenix-4").await.0, b"");
    assert_eq!(bench.trainings(), 1);
    assert_eq!(bench.create("ana.mp4", "phoenix-4").await.0, b"");
    assert_eq!(bench.trainings(), 1);
    assert_eq!(bench.create("ana.mp4", "phoenix-4").await.status(), 200);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_sends() {
    let bench = Bench::with(&["create@1:truncate"], None).await;
    let answer = bench.create("ana.mp4", "phoenix-4").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.content_length() > answer.body().len() && !answer.body().is_empty(), "{}", answer.text());
    assert!(serde_json::from_str::<Value>(&answer.body()).is_err());
    assert_eq!(bench.trainings(), 1);
}

#[tokio::test]
async fn a_hanging_request_has_taken_effect_and_ends_with_its_client_or_the_sandbox() {
    let bench = Bench::with(&["create@1:hang"], None).await;
    let waiting = bench.create("ana.mp4", "phoenix-4");
    tokio::pin!(waiting);
    while bench.trainings() == 0 {
        tokio::select! {
            _ = &mut waiting => panic!("it must not be answered"),
            () = tokio::task::yield_now() => {}
        }
    }
    bench.sandbox.stop.send_replace(true);
    assert_eq!(waiting.await.0, b"");
}

#[tokio::test]
async fn statuses_pages_and_redirects_do_nothing_unless_told_to() {
    let rules = [
        "create@1:502",
        "create@2:html200",
        "create@3:redirect",
        "create@4:429;retry-after=7",
        "create@5:503;after-effect",
    ];
    let bench = Bench::with(&rules, None).await;
    assert_eq!((bench.create("a.mp4", "phoenix-4").await.status(), bench.trainings()), (502, 0));
    let page = bench.create("a.mp4", "phoenix-4").await;
    assert!(page.status() == 200 && page.body().starts_with("<html>") && bench.trainings() == 1);
    let elsewhere = bench.create("a.mp4", "phoenix-4").await;
    assert!(elsewhere.status() == 307 && elsewhere.text().contains("location: /v2/replicas\r\n"));
    let limited = bench.create("a.mp4", "phoenix-4").await;
    assert!(limited.status() == 429 && limited.text().contains("retry-after: 7\r\n"));
    assert_eq!((bench.create("a.mp4", "phoenix-4").await.status(), bench.trainings()), (503, 2));
}

#[tokio::test]
async fn a_late_effect_comes_after_its_client_was_cut_off() {
    let bench = Bench::with(&["create:late-effect=30s"], None).await;
    assert_eq!(bench.create("a.mp4", "phoenix-4").await.0, b"");
    while bench.trainings() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_listing_can_lag_and_its_pages_can_disagree() {
    let bench = Bench::with(&["list:lag=60s", "list@3:shrink"], None).await;
    for number in 0..4 {
        bench.new_face(&format!("{number}.mp4"), "phoenix-4").await;
    }
    assert_eq!(bench.get("/v2/faces?face_type=user").await["total_count"], 0);
    bench.clock.wind(Duration::from_secs(60));
    let names = |page: Value| -> Vec<String> {
        let rows = page["data"].as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| row["face_name"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names(bench.get("/v2/faces?face_type=user&limit=2").await), ["3.mp4", "2.mp4"]);
    assert_eq!(names(bench.get("/v2/faces?face_type=user&limit=2&page=2").await), ["0.mp4"], "1.mp4 is skipped");
}
