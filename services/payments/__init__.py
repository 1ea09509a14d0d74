"""Payments: the tahap and its documents, entitlements, transfers, holds and the ledger."""
