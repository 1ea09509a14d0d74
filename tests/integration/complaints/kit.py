"""A complaint as it comes in at the door."""

COMPLAINT = {
    "category": "AMOUNT_WRONG",
    "channel": "CALL_CENTER",
    "region": "61.03.01.2026",
    "received_on": "2023-03-30",
    "family": "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11",
}
