// ANCHOR: all
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Instant, sleep};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// What we want of a lighthouse.
trait Light {
    fn flash(&self) -> impl Future<Output = u32>;
}

async fn signal(light: &impl Light) -> u32 {
    light.flash().await;
    sleep(Duration::from_secs(600)).await;
    light.flash().await
}

/// A fake: an ordinary type with the methods of the trait.
#[derive(Default)]
struct FakeLight(Mutex<Vec<Duration>>);

impl Light for (Instant, FakeLight) {
    async fn flash(&self) -> u32 {
        let mut flashes = self.1.0.lock().expect("never poisoned");
        flashes.push(self.0.elapsed());
        flashes.len() as u32
    }
}

/// A test has one thread, unless it asks for more.
#[tokio::test]
async fn the_runtime() {
    let flavor = Handle::current().runtime_flavor();
    assert_eq!(flavor, RuntimeFlavor::CurrentThread);
}

#[tokio::test(start_paused = true)]
async fn a_fake_and_a_clock() {
    let light = (Instant::now(), FakeLight::default());
    assert_eq!(signal(&light).await, 2);
    let flashes = light.1.0.into_inner().expect("never poisoned");
    assert_eq!(flashes, [Duration::ZERO, Duration::from_secs(600)]);
}

/// A real server on this machine; it counts, and checks when it is dropped.
#[tokio::test]
async fn a_mock_server() -> reqwest::Result<()> {
    let harbour = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/tide"))
        .respond_with(ResponseTemplate::new(200).set_body_string("low"))
        .expect(1)
        .mount(&harbour)
        .await;
    let url = format!("{}/tide", harbour.uri());
    assert_eq!(reqwest::get(url).await?.text().await?, "low");
    Ok(())
}
// ANCHOR_END: all
