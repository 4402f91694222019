"""Assignment told a second time, as simply as can be: everything is looked at for every decision.

Written from the rules, not from the code, and without its indexes, rows, batches and parts; to compare with.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.booking import Message, iso

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PRIORITIES = {"urgent": 0, "high": 1, "normal": 2}
STRATEGIES = ("round_robin", "load_based")


@dataclass
class Callback:
    data: dict[str, Any]
    owner: str | None = None
    waits: str = "command"  # or "branch", "staff"
    expired: bool = False
    ours: list[tuple[str, str | None]] = field(default_factory=list)
    confirmed: int = 0  # so many of ours need not be waited for

    @property
    def open(self) -> bool:
        return self.data["status"] in ("pending", "assigned")

    @property
    def pending(self) -> bool:
        return self.open and self.owner is None and not self.expired

    @property
    def order(self) -> tuple[int, datetime, str]:
        requested = datetime.fromisoformat(self.data["requested_at"])
        return PRIORITIES[self.data["priority"]], requested, self.data["callback_id"]

    def past(self, at: datetime) -> bool:
        expires = self.data.get("expires_at")
        return self.expired or (expires is not None and datetime.fromisoformat(expires) <= at)


class NaiveAssignment:
    """One company. `apply` returns the decisions as dictionaries, without ids and basis. Of more candidates than
    `shown_at_most` it tells those who matter, `best_shown` of the best, and counts the rest."""

    def __init__(self, shown_at_most: int = 50, best_shown: int = 20) -> None:
        self.shown_at_most, self.best_shown = shown_at_most, best_shown
        self.company: dict[str, Any] | None = None
        self.branches: dict[str, dict[str, Any]] = {}
        self.staff: dict[str, dict[str, Any]] = {}
        self.callbacks: dict[str, Callback] = {}
        self.turns: dict[str, tuple[int, datetime]] = {}
        self.count = 0
        self.versions: dict[str, int] = {}
        self.commands: set[tuple[str, str]] = set()
        self.made: list[dict[str, Any]] = []
        self.message: Message
        self.at: datetime
        self.lowered: set[str] = set()

    def apply(self, message: Message, at: datetime) -> list[dict[str, Any]]:
        self.made, self.message, self.at, self.lowered = [], message, at, set()
        entity, _, verb = message.type.partition(".")
        data = message.data
        if message.topic == "assignment.commands":
            if (message.event["source"], message.id) not in self.commands:
                self.commands.add((message.event["source"], message.id))
                getattr(self, f"command_{entity}_{verb}")(data)
            return self.made
        key = f"{entity}/{data.get(f'{entity}_id')}"
        if data["version"] <= self.versions.get(key, -1):
            return []
        self.versions[key] = data["version"]
        getattr(self, f"event_{entity}")(verb, data)
        return self.made

    # --- looking ---

    def load(self, staff_id: str) -> int:
        return sum(callback.open and callback.owner == staff_id for callback in self.callbacks.values())

    def turn(self, staff_id: str) -> int:
        return self.turns[staff_id][0] if staff_id in self.turns else 0

    def zone(self, branch_id: str) -> ZoneInfo:
        known = self.branches.get(branch_id) or self.company
        return ZoneInfo(known["timezone"] if known else "UTC")

    def exclusion(self, staff_id: str, data: dict[str, Any], without: str | None) -> str | None:
        person = self.staff[staff_id]
        if data["branch_id"] not in person["branch_ids"]:
            return "other_branch"
        if not person["is_active"]:
            return "inactive"
        if not person["accepts_callbacks"]:
            return "not_accepting"
        if data.get("service_id") is not None and data["service_id"] not in person["service_ids"]:
            return "lacks_service"
        if not self.works(person, self.zone(data["branch_id"])):
            return "outside_hours"
        for absence in person.get("absences", ()):
            if datetime.fromisoformat(absence["from"]) <= self.at < datetime.fromisoformat(absence["until"]):
                return "absent"
        most = person.get("max_active_callbacks")
        if most is not None and self.load(staff_id) >= most:
            return "at_capacity"
        return "present_assignee" if staff_id == without else None

    def works(self, person: dict[str, Any], zone: ZoneInfo) -> bool:
        hours = person.get("working_hours")
        if hours is None:
            return True
        local = self.at.astimezone(zone)
        shifts = hours.get(DAYS[local.weekday()], ())
        return any(start <= local.strftime("%H:%M") < end for start, end in shifts)

    def candidates(self, data: dict[str, Any], without: str | None) -> list[dict[str, Any]]:
        listed = []
        for staff_id in sorted(self.staff):
            if data["branch_id"] in self.staff[staff_id]["branch_ids"] or data.get("staff_id") == staff_id:
                reason = self.exclusion(staff_id, data, without)
                one = {
                    "staff_id": staff_id,
                    "eligible": reason is None,
                    "load": self.load(staff_id),
                    "turn": self.turn(staff_id),
                }
                if reason is not None:
                    one["excluded_by"] = reason
                if staff_id in self.turns:
                    one["last_assigned_at"] = iso(self.turns[staff_id][1])
                listed.append(one)
        return listed

    def ranked(self, data: dict[str, Any], strategy: str, without: str | None) -> list[str]:
        eligible = [one for one in self.candidates(data, without) if one["eligible"]]
        if strategy == "round_robin":
            eligible.sort(key=lambda one: (one["turn"], one["staff_id"]))
        else:
            eligible.sort(key=lambda one: (one["load"], one["turn"], one["staff_id"]))
        return [one["staff_id"] for one in eligible]

    def best(self, data: dict[str, Any], strategy: str, without: str | None) -> tuple[str, str] | None:
        """(staff id, chosen by)"""
        ranked = self.ranked(data, strategy, without)
        if data.get("staff_id") in ranked:
            return data["staff_id"], "preferred"
        return (ranked[0], strategy) if ranked else None

    def survey(self, callback: Callback, strategy: str, without: str | None, chosen: str | None) -> dict[str, Any]:
        """The fields `candidates` and, if there are too many, `candidates_omitted`."""
        listed = self.candidates(callback.data, without)
        if len(listed) <= self.shown_at_most:
            return {"candidates": listed}
        shown = {chosen, callback.data.get("staff_id"), callback.owner}
        shown |= set(self.ranked(callback.data, strategy, without)[: self.best_shown])
        omitted = Counter(one.get("excluded_by", "eligible") for one in listed if one["staff_id"] not in shown)
        found = {"candidates": [one for one in listed if one["staff_id"] in shown]}
        return {**found, "candidates_omitted": dict(omitted)} if omitted else found

    def strategy(self, data: dict[str, Any], wanted: str | None) -> str:
        branch = self.branches.get(data["branch_id"])
        return wanted or (branch["strategy"] if branch else "load_based")

    # --- deciding ---

    def say(self, kind: str, callback: Callback | None, reason: str | None, **fields: Any) -> None:
        if callback is not None:
            fields |= {"callback_id": callback.data["callback_id"], "branch_id": callback.data["branch_id"]}
        decision = {
            "type": kind,
            "reason": reason,
            "caused_by": self.message.id,
            "decided_at": iso(self.at),
            **fields,
        }
        self.made.append({name: value for name, value in decision.items() if value is not None})
        if callback is not None and kind != "command_refused":
            number = sum(one.get("callback_id") == fields["callback_id"] for one in self.made)
            assert number == 1, "two decisions about one callback by one record"
            callback.ours.append((f"{self.message.id}/{fields['callback_id']}", fields.get("staff_id")))

    def own(self, callback: Callback, staff_id: str | None) -> None:
        if callback.owner is not None and callback.open and callback.owner != staff_id:
            self.lowered.add(callback.owner)
        callback.owner = staff_id

    def take_turn(self, staff_id: str) -> None:
        self.count += 1
        self.turns[staff_id] = self.count, self.at

    def decide(
        self,
        callback: Callback,
        kind: str,
        reason: str | None,
        wanted: str | None = None,
        quiet: bool = False,
        **fields: Any,
    ) -> bool:
        """Find somebody (for `reassigned`: else); or say that it waits."""
        data, previous = callback.data, callback.owner
        strategy, without = self.strategy(data, wanted), previous if reason == "requested" else None
        best = self.best(data, strategy, without)
        listed = self.survey(callback, strategy, without, best[0] if best else None)
        common = {"strategy": strategy, "previous_staff_id": previous, **listed, **fields}
        if best is not None:
            staff_id, chosen_by = best
            name = self.staff[staff_id]["name"]
            self.say(
                kind,
                callback,
                reason or chosen_by,
                staff_id=staff_id,
                staff_name=name,
                chosen_by=chosen_by,
                **common,
            )
            self.own(callback, staff_id)
            self.take_turn(staff_id)
            return True
        if reason == "requested":
            common.pop("previous_staff_id")
            self.say("command_refused", callback, "no_eligible_staff", **common)
            return False
        if not quiet:
            self.say("waiting", callback, "no_eligible_staff", **common)
        self.own(callback, None)
        callback.waits = "staff"
        return False

    def abandon(self, callback: Callback, previous: str | None, **fields: Any) -> None:
        strategy = self.strategy(callback.data, None)
        listed = self.survey(callback, strategy, None, None)
        self.say(
            "abandoned",
            callback,
            "expired",
            strategy=strategy,
            previous_staff_id=previous,
            **listed,
            **fields,
        )
        self.own(callback, None)
        callback.expired = True

    def leave(self, staff_id: str) -> None:
        held = [callback for callback in self.callbacks.values() if callback.open and callback.owner == staff_id]
        for callback in sorted(held, key=lambda one: one.order):
            if callback.past(self.at):
                self.abandon(callback, staff_id)
            else:
                self.decide(callback, "reassigned", "staff_left")

    def help(self, branches: set[str], arriving: str | None = None) -> None:
        """Decide the waiting of these branches again, one after the other in bulk order."""
        for staff_id in self.lowered:
            if staff_id in self.staff:
                branches |= set(self.staff[staff_id]["branch_ids"])
        decided = {one.get("callback_id") for one in self.made}
        for callback in sorted(self.callbacks.values(), key=lambda one: one.order):
            here = callback.pending and callback.data["callback_id"] not in decided
            if here and callback.waits == "staff" and callback.data["branch_id"] in branches:
                self.decide(callback, "auto_assigned", None, quiet=True)
            elif here and callback.waits == "branch" and callback.data["branch_id"] == arriving:
                callback.waits = "command"
                if self.branches[arriving]["auto_assign"]:
                    self.decide(callback, "auto_assigned", None)

    # --- events ---

    def event_company(self, verb: str, data: dict[str, Any]) -> None:
        self.company = data if verb == "upserted" else None

    def event_branch(self, verb: str, data: dict[str, Any]) -> None:
        branch_id = data["branch_id"]
        known = branch_id in self.branches
        self.branches.pop(branch_id, None)
        if verb == "upserted":
            self.branches[branch_id] = data
        self.help({branch_id}, branch_id if verb == "upserted" and not known else None)

    def event_staff(self, verb: str, data: dict[str, Any]) -> None:
        staff_id = data["staff_id"]
        before = self.staff.pop(staff_id, None)
        if verb == "upserted":
            self.staff[staff_id] = data
        left = verb == "deleted" or (before is not None and before["is_active"] and not data["is_active"])
        if left:
            self.leave(staff_id)
        self.help({*(before["branch_ids"] if before else ()), *data.get("branch_ids", ())})

    def event_callback(self, verb: str, data: dict[str, Any]) -> None:
        callback_id = data["callback_id"]
        known = self.callbacks.get(callback_id)
        before = Callback({**known.data}, known.owner, known.waits, known.expired) if known else None
        callback = self.callbacks.setdefault(callback_id, Callback(data))
        opens = data["status"] in ("pending", "assigned")
        had, has = (before.data.get("expires_at") if before else None), data.get("expires_at")
        more_time = had is not None and (has is None or datetime.fromisoformat(has) > datetime.fromisoformat(had))
        given_up = before is not None and before.open and before.expired and before.owner is None
        new = opens and (before is None or not before.open or (given_up and more_time))
        if before is not None and before.open and not opens and before.owner is not None:
            self.lowered.add(before.owner)
        callback.data = data
        if more_time or new:
            callback.expired = False
        if new:
            callback.owner, callback.waits = None, "command"
        unassigned = verb == "unassigned" and opens
        self.hear(callback, before, data, opens, unassigned)
        if not opens:
            callback.confirmed = len(callback.ours)
        elif before is not None and before.open and before.owner is not None and callback.owner is None:
            if callback.past(self.at):
                self.abandon(callback, before.owner)
        elif callback.pending:
            self.arrive(callback, data, new and not unassigned)
        self.help(set())

    def hear(
        self, callback: Callback, before: Callback | None, data: dict[str, Any], opens: bool, unassigned: bool
    ) -> None:
        """What a snapshot says about who has it."""
        if unassigned:
            callback.data = data = {**data, "assigned_to": None}
        named = data.get("assigned_to")
        stated = before.data.get("assigned_to") if before and (before.open or not opens) else None
        if before is not None and self.is_echo(callback, data, named):
            return
        if unassigned:
            self.own(callback, None)
            callback.waits, callback.confirmed = "command", len(callback.ours)
        elif named is not None and named != stated:
            if named != callback.owner:
                self.own(callback, named)
                self.take_turn(named)
            callback.waits, callback.confirmed = "command", len(callback.ours)

    def is_echo(self, callback: Callback, data: dict[str, Any], named: str | None) -> bool:
        ids = [decision_id for decision_id, _ in callback.ours]
        if data.get("decision_id") is not None:
            if data["decision_id"] not in ids:
                return False
            place = ids.index(data["decision_id"])
            unconfirmed = place >= callback.confirmed
            callback.confirmed = max(callback.confirmed, place + 1)
            return place < len(ids) - 1 or (unconfirmed and callback.ours[place][1] is None)
        if named is None:
            return False
        for place in range(callback.confirmed, len(ids)):
            if callback.ours[place][1] is not None:
                if callback.ours[place][1] != named:
                    return False
                callback.confirmed = place + 1
                return True
        return False

    def arrive(self, callback: Callback, data: dict[str, Any], new: bool) -> None:
        if new or callback.waits == "branch":
            branch = self.branches.get(data["branch_id"])
            wanted = data.get("assign", True)
            callback.waits = "branch" if branch is None and wanted else "command"
            if branch is not None and branch["auto_assign"] and wanted:
                self.decide(callback, "auto_assigned", None)
        elif callback.waits == "staff":
            self.decide(callback, "auto_assigned", None, quiet=True)

    # --- commands ---

    def refuse(self, reason: str, callback_id: str | None, strategy: str | None) -> None:
        callback = self.callbacks.get(callback_id or "")
        if callback is not None:
            strategy = self.strategy(callback.data, strategy)
        fields = {"strategy": strategy, "command_id": self.message.id, "candidates": []}
        if callback is None:
            self.say("command_refused", None, reason, callback_id=callback_id, **fields)
        else:
            self.say("command_refused", callback, reason, **fields)

    def admitted(self, data: dict[str, Any]) -> Callback | None:
        callback = self.callbacks.get(data["callback_id"])
        strategy = data.get("strategy")
        if strategy is not None and strategy not in STRATEGIES:
            self.refuse("unknown_strategy", data["callback_id"], strategy)
        elif callback is None:
            self.refuse("unknown_callback", data["callback_id"], strategy)
        elif not callback.open or (callback.expired and callback.owner is None):
            self.refuse("not_open", data["callback_id"], strategy)
        else:
            return callback
        return None

    def command_callback_auto_assign(self, data: dict[str, Any]) -> None:
        callback = self.admitted(data)
        if callback is None:
            return
        if callback.owner is not None:
            self.refuse("already_assigned", data["callback_id"], data.get("strategy"))
        else:
            self.decide(callback, "auto_assigned", None, data.get("strategy"), command_id=self.message.id)

    def command_callback_reassign(self, data: dict[str, Any]) -> None:
        callback = self.admitted(data)
        if callback is None:
            self.note(data)
        elif callback.owner is None:
            self.refuse("not_assigned", data["callback_id"], data.get("strategy"))
            self.note(data)
        else:
            fields = {"command_id": self.message.id, "note": data["reason"]}
            self.decide(callback, "reassigned", "requested", data.get("strategy"), **fields)
            self.help(set())

    def note(self, data: dict[str, Any]) -> None:
        for decision in self.made:
            decision["note"] = data["reason"]

    def command_callback_bulk_auto_assign(self, data: dict[str, Any]) -> None:
        strategy, branch_id, ids = data.get("strategy"), data.get("branch_id"), data.get("callback_ids")
        if strategy is not None and strategy not in STRATEGIES:
            self.say(
                "command_refused",
                None,
                "unknown_strategy",
                strategy=strategy,
                command_id=self.message.id,
                candidates=[],
            )
            return
        wanted = (
            list(dict.fromkeys(ids))
            if ids is not None
            else [c for c, one in self.callbacks.items() if one.pending]
        )
        if branch_id is not None:
            wanted = [
                c for c in wanted if c in self.callbacks and self.callbacks[c].data["branch_id"] == branch_id
            ]
            if branch_id not in self.branches:
                wanted = []
        good = [self.callbacks[c] for c in wanted if c in self.callbacks and self.callbacks[c].pending]
        assigned = 0
        for callback in sorted(good, key=lambda one: one.order):
            assigned += self.decide(callback, "auto_assigned", None, strategy, command_id=self.message.id)
        for callback_id in wanted:
            if self.callbacks.get(callback_id) not in good:
                callback = self.callbacks.get(callback_id)
                if callback is None:
                    self.refuse("unknown_callback", callback_id, strategy)
                elif not callback.open or (callback.expired and callback.owner is None):
                    self.refuse("not_open", callback_id, strategy)
                else:
                    self.refuse("already_assigned", callback_id, strategy)
        counts = {"total": len(wanted), "assigned": assigned, "failed": len(wanted) - assigned}
        self.say(
            "bulk_assigned",
            None,
            None,
            strategy=strategy,
            branch_id=branch_id,
            command_id=self.message.id,
            candidates=[],
            **counts,
        )

    def command_branch_reconsider(self, data: dict[str, Any]) -> None:
        self.help({data["branch_id"]})

    def command_callback_expire(self, data: dict[str, Any]) -> None:
        callback = self.callbacks.get(data["callback_id"])
        if callback is None or not callback.open or callback.expired:
            return
        expires = callback.data.get("expires_at")
        if expires is None or datetime.fromisoformat(expires) > datetime.fromisoformat(data["due_at"]):
            return
        callback.expired = True
        if callback.owner is None:
            self.abandon(callback, None, command_id=self.message.id)


def utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
