//! The floor: the requests that a command cannot do without, over one client, as many at once, and nothing done with
//! the answers.

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Sends what is asked for: `list` for all pages of the listing, `create=N` for so many creates, `get=FILE` for one
/// read of each id in a file.
pub(crate) fn send(url: &str, what: &str, together: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // reqwest comes without one, and wants it also where nothing is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().build().unwrap();
    runtime.block_on(async {
        let mut requests: Vec<(String, Option<Value>)> = Vec::new();
        match what.split_once('=') {
            None => {
                let page = |number: u64| format!("{url}/faces?limit=100&page={number}&face_type=user&verbose=true");
                let first = ask(client.clone(), (page(1), None)).await;
                let total = serde_json::from_slice::<Value>(&first).unwrap()["total_count"].as_u64().unwrap();
                requests.extend((2..=total.div_ceil(100)).map(|number| (page(number), None)));
            }
            Some((_, count)) => {
                let body = |number: usize| {
                    let name = format!("Speaker {number} [raw]");
                    let link = format!("https://media.example.com/recordings/{number}/take-1.mp4");
                    json!({ "face_name": name, "train_video_url": link, "model_name": "phoenix-4" })
                };
                let all = 0..count.parse::<usize>().unwrap();
                requests.extend(all.map(|number| (format!("{url}/faces"), Some(body(number)))));
            }
        }
        let mut under_way = JoinSet::new();
        for request in requests {
            if under_way.len() >= together {
                under_way.join_next().await.unwrap().unwrap();
            }
            under_way.spawn(ask(client.clone(), request));
        }
        while let Some(done) = under_way.join_next().await {
            done.unwrap();
        }
    });
}

async fn ask(client: Client, (url, body): (String, Option<Value>)) -> Vec<u8> {
    let request = match body {
        Some(body) => client.post(url).json(&body),
        None => client.get(url),
    };
    let answer = request.header("x-api-key", "any").send().await.unwrap().error_for_status().unwrap();
    answer.bytes().await.unwrap().to_vec()
}
