//! The vendor directory: every vendor of Business Central made in Brex, once.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::Failure;
use super::connector::{Connector, SetUp};
use super::other_side::OtherSide;
use super::pass::round;
use super::{BenchArgs, real_time, waiting};

const LOOK_EVERY_MS: u64 = 500;
/// Nothing has moved for so long: it is done, or hangs.
const STILL: u32 = 20;

pub(super) async fn run(args: &BenchArgs) -> Result<Value, Failure> {
    let other = OtherSide::start(args.records, false).await?;
    let set_up = SetUp { receives: false, directory: true, ..waiting::set_up(args) };
    let mut connector = Connector::set_up(&other.ready, &set_up)?;
    let began = real_time::now();
    connector.start()?;
    let (mut made, mut still, mut seconds) = (0, 0, 0.0);
    while still < STILL {
        real_time::pause(LOOK_EVERY_MS).await;
        connector.must_run()?;
        let now = creates(&other).await?;
        still = if now == made && made > 0 { still + 1 } else { 0 };
        if now != made {
            (made, seconds) = (now, began.elapsed().as_secs_f64());
        }
    }
    let usage = connector.usage()?;
    connector.stop().await?;
    let requests = other.control(Method::GET, "requests", None).await?;
    let number = f64::from(u32::try_from(made).unwrap_or(u32::MAX));
    Ok(json!({
        "vendors": made, "seconds": round(seconds), "vendors_per_second": round(number / seconds.max(0.001)),
        "cpu_ms_per_vendor": round(f64::from(u32::try_from(usage.cpu_ms).unwrap_or(u32::MAX)) / number.max(1.0)),
        "peak_rss_mb": usage.peak_rss_kb / 1_024, "requests": requests,
    }))
}

async fn creates(other: &OtherSide) -> Result<u64, Failure> {
    let requests = other.control(Method::GET, "requests", None).await?;
    let routes = requests.pointer("/brex/routes").and_then(Value::as_object);
    let made = routes.into_iter().flatten().find(|(route, _)| route.as_str() == "POST /v1/vendors");
    Ok(made.and_then(|(_, number)| number.as_u64()).unwrap_or(0))
}
