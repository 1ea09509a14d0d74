"""Rule sets by which a family without a category waits before it graduates."""

from __future__ import annotations

from dataclasses import replace

from services.registry.policy import RuleSets, load_rule_sets


def with_term(days: int) -> RuleSets:
    """The rule sets as they are, but for the term."""
    sets = load_rule_sets()
    by_id = {
        name: replace(rules, natural_graduation_term_days=days)
        for name, rules in sets.by_id.items()
    }
    return replace(sets, by_id=by_id)
