//! The table of descriptions.

use crate::cron::parse;

#[test]
fn table() {
    for (text, expected) in [
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0,30 * * * *", "Every 30 minutes"),
        ("0 * * * *", "Every hour"),
        ("@hourly", "Every hour"),
        ("5 * * * *", "At minute 5 of every hour"),
        ("5,10,40 * * * *", "At minutes 5, 10 and 40 of every hour"),
        ("0 */2 * * *", "Every 2 hours"),
        ("15 */6 * * *", "At minute 15, every 6 hours"),
        ("0 9 * * *", "At 09:00 every day"),
        ("@daily", "At 00:00 every day"),
        ("30 9,17 * * *", "At 09:30 and 17:30 every day"),
        ("0 6,12,18 * * *", "At 06:00, 12:00 and 18:00 every day"),
        ("0 9 * * 1-5", "At 09:00 on Monday to Friday"),
        ("0 9 * * 6,0", "At 09:00 on Saturday and Sunday"),
        ("0 9 * * FRI-SUN", "At 09:00 on Friday to Sunday"),
        ("@weekly", "At 00:00 on Sunday"),
        ("@monthly", "At 00:00 on day 1 of the month"),
        ("@yearly", "At 00:00 on day 1 of the month in January"),
        ("0 0 1,15 * *", "At 00:00 on days 1 and 15 of the month"),
        ("0 0 L * *", "At 00:00 on the last day of the month"),
        (
            "0 0 LW * *",
            "At 00:00 on the last working day (Monday to Friday) of the month",
        ),
        (
            "0 0 15W * *",
            "At 00:00 on the working day (Monday to Friday) nearest to day 15 of the month",
        ),
        ("0 0 * * 5L", "At 00:00 on the last Friday of the month"),
        (
            "0 0 * * TUE#2",
            "At 00:00 on the second Tuesday of the month",
        ),
        (
            "0 0 13 * FRI",
            "At 00:00 on day 13 of the month or on Friday",
        ),
        ("0 0 * 6-8 *", "At 00:00 every day in June to August"),
        (
            "0 0 1 JAN,JUL *",
            "At 00:00 on day 1 of the month in January and July",
        ),
        ("*/10 9-17 * * *", "Every 10 minutes from 09:00 to 17:59"),
        ("* 2 * * *", "Every minute from 02:00 to 02:59"),
        (
            "* 0-5,22-23 * * *",
            "Every minute from 00:00 to 05:59 and from 22:00 to 23:59",
        ),
        ("* */3 * * *", "Every minute of every 3rd hour"),
        (
            "0 9-17 * * 1-5",
            "At minute 0 of hours 9 to 17 on Monday to Friday",
        ),
        ("0-10 * * * *", "At minutes 0 to 10 of every hour"),
        ("* * * * * *", "Every second"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("5 * * * * *", "At second 5 of every minute"),
        ("30 15 9 * * *", "At 09:15:30 every day"),
        ("* 30 * * * *", "Every second of minute 30 of every hour"),
        ("*/5 */2 * * * *", "Every 5 seconds of every 2nd minute"),
        (
            "5,20 0 9-17 * * *",
            "At seconds 5 and 20 of minute 0 from 09:00 to 17:59",
        ),
        ("0 30 2 * * *", "At 02:30 every day"),
    ] {
        assert_eq!(parse(text, "cj").unwrap().describe(), expected, "{text}");
    }
}
