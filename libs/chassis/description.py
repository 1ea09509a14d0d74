"""One description of a service: what it is called, what it answers, reads and works on.

SERVICE = Service("purses", [api.router], parts, streams=[PURSE], examples=EXAMPLES)

if __name__ == "__main__":
    SERVICE.run()

Its title, topics and secrets stand in deploy/services.toml, from which the platform starts it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from libs.chassis import operations, read_records
from libs.chassis.app import Lifespan, create_app, serve
from libs.chassis.catalogue import Entry, catalogue
from libs.chassis.health import Check
from libs.chassis.job_gauges import job_samples
from libs.chassis.jobs import Source, jobs_router
from libs.chassis.metrics import Seldom
from libs.chassis.reads import READS
from libs.chassis.refolding import refolding_router
from libs.chassis.regions import Lives, lives_nowhere
from libs.chassis.replay_jobs import ReplayJobs
from libs.chassis.retention import RETENTION, Retention
from libs.chassis.rule_sets import rule_sets_router
from libs.chassis.service import READINESS, READS_ONLY, Running, Step, opened, working
from libs.chassis.settings import Settings
from libs.chassis.stream_jobs import StreamJobs
from libs.events.consumer.subscription import Subscription
from libs.events.store.model import StreamType
from libs.policy.rule_sets import ListedRuleSet


@dataclass(frozen=True, slots=True)
class Parts:
    """The work of a service while it runs, beside answering.

    `workers` are taken step by step by whichever process leads them. `resources` are handed to
    handlers by name.
    """

    subscriptions: Sequence[Subscription] = ()
    workers: Mapping[str, Step] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)


async def no_parts(_running: Running) -> Parts:
    """The parts of a service that only answers."""
    return Parts()


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the platform.

    `parts` makes its parts on the open store and bus; what has to be closed goes to
    `running.closing`. `streams` are all kinds of its streams, beside those of who reads. `jobs` are
    its sources of long work beside replays, seen and cancelled by whoever holds one of
    `jobs_scopes`. `lives` says where it knows a family to live. `rule_sets` are those that its
    policy files know. `checks` are of
    /ready, beside every service's. `examples` gives names of the interface an example. `mounted`
    makes programs for browsers, by their path, each with a gate of its own.
    """

    name: str
    routers: Sequence[APIRouter]
    parts: Callable[[Running], Awaitable[Parts]] = no_parts
    streams: Sequence[StreamType[Any, Any, Any]] = ()
    jobs: Sequence[Source] = ()
    jobs_scopes: Sequence[str] = ()
    lives: Lives = lives_nowhere
    rule_sets: Sequence[ListedRuleSet] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    examples: Mapping[str, object] = field(default_factory=dict)
    mounted: Mapping[str, Callable[[Settings], ASGIApp]] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """The entry of deploy/services.toml."""
        return catalogue().services[self.name]

    def settings(self) -> Settings:
        """The settings of this process's environment, with all that the service needs."""
        return Settings.from_environment(
            self.name,
            needs=self.entry.needs,
            calls=self.entry.calls,
            shows=self.entry.shows,
            partners=self.entry.partners,
        )

    def application(self, settings: Settings, lifespan: Lifespan | None = None) -> FastAPI:
        """The application; `lifespan` replaces the one that runs its parts."""
        app = create_app(
            self.name,
            self.entry.title,
            [
                *self.routers,
                jobs_router([*self.jobs, ReplayJobs()], *self.jobs_scopes),
                operations.router,
                read_records.router,
                refolding_router([*self.streams, READS]),
                *([rule_sets_router(self.name, self.rule_sets)] if self.rule_sets else []),
            ],
            lifespan or self._lifespan(settings),
            {**(READINESS if self.entry.publishes else READS_ONLY), **self.checks},
            settings,
            examples=self.examples,
            mounted={path: made(settings) for path, made in self.mounted.items()},
        )
        app.state.lives = self.lives
        return app

    def run(self) -> None:
        """Serve until told to stop."""
        settings = self.settings()
        serve(self.application(settings), settings)

    def _lifespan(self, settings: Settings) -> Lifespan:
        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
            async with opened(settings) as running, AsyncExitStack() as closing:
                running.closing = closing
                parts = await self.parts(running)
                followed = [source for source in self.jobs if isinstance(source, StreamJobs)]
                running.looks.append(Seldom(partial(job_samples, running.store, followed)))
                retention = Retention(running.store, settings.limits.answers_kept_days)
                workers = {**parts.workers, RETENTION: retention.step}
                await closing.enter_async_context(working(running, parts.subscriptions, workers))
                yield running.resources(**parts.resources)

        return lifespan
