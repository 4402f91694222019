"""Callbacks: the customer hears that we call, a colleague that it is theirs, another that it no longer is."""

from datetime import timedelta

import pytest

from tests.unit.notification.world import (
    START,
    World,
    branch,
    callback,
    config,
    decision,
    opened,
    outline,
    requests,
    staff,
    suppressions,
)

RECEIVED = ("callback.received", "customer", "cu-1")


def assigned(person: str) -> tuple[str, str, str]:
    """Also with a reason in place of the person: why they were not told."""
    return ("callback.assigned", "staff", person)


def withdrawn(person: str) -> tuple[str, str, str]:
    return ("callback.withdrawn", "staff", person)


def requested(**fields: object) -> World:
    """A company with one callback, which nobody has yet unless the fields say so."""
    world = opened()
    world.send("callback.requested", callback(**fields))
    return world


class TestReceived:
    def test_customer_is_told(self) -> None:
        """A request to be called is confirmed to the customer, once."""
        assert outline(opened().send("callback.requested", callback())) == [RECEIVED]

    @pytest.mark.parametrize("notify", ["none", "staff"])
    def test_not_wanted(self, notify: str) -> None:
        """It is not, if the event does not want the customer told."""
        told = opened().send("callback.requested", callback(notify=notify))
        assert outline(told) == [("callback.received", "customer", "not_wanted")]

    def test_without_configuration(self) -> None:
        """Where nobody has configured it, nothing is said."""
        world = World()
        world.send("branch.upserted", branch())
        assert world.send("callback.requested", callback()) == []

    def test_closed(self) -> None:
        """A request that is closed when it arrives is not confirmed."""
        assert opened().send("callback.requested", callback(status="completed")) == []

    def test_other_types(self) -> None:
        """No other callback event is told to the customer."""
        world = opened()
        assert world.send("callback.updated", callback(1)) == []
        assert world.send("callback.contacted", callback(2, status="contacted")) == []

    def test_stale(self) -> None:
        """An older or equal version of the callback triggers nothing."""
        world = opened()
        world.send("callback.updated", callback(3))
        assert world.send("callback.requested", callback(2)) == []
        assert world.send("callback.requested", callback(3)) == []


class TestDecisions:
    @pytest.mark.parametrize("event_type", ["callback.auto_assigned", "callback.reassigned"])
    def test_colleague_is_told(self, event_type: str) -> None:
        """Whom we assign is told; the request is caused by the decision."""
        world = requested()
        told = world.send(event_type, decision("d-1", "anna"))
        assert outline(told) == [assigned("anna")]
        [request] = requests(told)
        assert (request.caused_by, request.cause.topic, request.cause.offset) == ("d-1", "assignment.decisions", 0)
        assert (request.entity.type, request.entity.id, request.entity.version) == ("callback", "cb-1", 1)
        assert request.recipient.email == "anna@salon.example"

    def test_reassigned(self) -> None:
        """On re-assignment the new colleague is told, and the one who had it until now."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        told = world.send("callback.reassigned", decision("d-2", "ben", previous_staff_id="anna"))
        assert outline(told) == [assigned("ben"), withdrawn("anna")]

    def test_had_it_without_being_told(self) -> None:
        """The one who had it from the start, by the booking system, hears too that it is no longer theirs."""
        world = requested(assigned_to="anna", status="assigned")
        told = world.send("callback.reassigned", decision("d-1", "ben", previous_staff_id="anna"))
        assert outline(told) == [assigned("ben"), withdrawn("anna")]

    def test_nobody_left(self) -> None:
        """Who loses a callback for which nobody else is eligible is told, and told again if it comes back."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        lost = decision("d-2", previous_staff_id="anna", reason="no_eligible_staff")
        assert outline(world.send("callback.waiting", lost)) == [withdrawn("anna")]
        assert outline(world.send("callback.auto_assigned", decision("d-3", "anna"))) == [assigned("anna")]

    @pytest.mark.parametrize("what", ["waiting", "abandoned", "bulk_assigned", "command_refused"])
    def test_other_decisions(self, what: str) -> None:
        """Decisions that assign nobody are told to nobody."""
        world = requested()
        assert world.send(f"callback.{what}", decision("d-1")) == []
        assert world.send(f"callback.{what}", decision("d-2", callback_id=None)) == []

    def test_expiry(self) -> None:
        """Who had a callback when it expired is not told."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        assert world.send("callback.abandoned", decision("d-2", reason="expired")) == []

    def test_deleted_colleague(self) -> None:
        """A colleague who was deleted is not told what they no longer have."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        world.send("staff.deleted", {"staff_id": "anna", "version": 2})
        told = world.send("callback.reassigned", decision("d-2", "ben", previous_staff_id="anna"))
        assert outline(told) == [assigned("ben")]

    def test_without_configuration(self) -> None:
        """It is said that a colleague got a callback and nobody configured to tell them."""
        world = World()
        world.send("branch.upserted", branch())
        world.send("staff.upserted", staff())
        world.send("callback.requested", callback())
        told = world.send("callback.auto_assigned", decision("d-1", "anna"))
        assert outline(told) == [assigned("no_configuration")]

    def test_again(self) -> None:
        """The same decision a second time changes nothing and is counted as a duplicate."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        assert world.send("callback.auto_assigned", decision("d-1", "anna")) == []
        assert world.counted["staffetta_intake_total", "assignment.decisions", "duplicate"] == 1

    @pytest.mark.parametrize(
        ("priority", "expected"), [("urgent", "high"), ("high", "normal"), ("normal", "normal")]
    )
    def test_priority(self, priority: str, expected: str) -> None:
        """An urgent callback is told with high priority."""
        world = requested(priority=priority)
        [request] = requests(world.send("callback.auto_assigned", decision("d-1", "anna")))
        assert request.priority == expected

    def test_not_after(self) -> None:
        """That a callback is theirs is pointless to tell after it expired; without expiry it never is."""
        expires_at = START + timedelta(hours=4)
        world = requested(expires_at=expires_at)
        [request] = requests(world.send("callback.auto_assigned", decision("d-1", "anna")))
        assert request.not_after == expires_at
        [request] = requests(requested().send("callback.auto_assigned", decision("d-1", "anna")))
        assert request.not_after is None


class TestOvertaking:
    def test_decision_before_its_callback(self) -> None:
        """A decision that arrives before its callback is told as soon as the callback is there."""
        world = opened()
        assert world.send("callback.auto_assigned", decision("d-1", "anna")) == []
        assert world.send("callback.reassigned", decision("d-2", "ben", previous_staff_id="anna")) == []
        world.restart()
        told = world.send("callback.requested", callback())
        assert outline(told) == [RECEIVED, assigned("anna"), assigned("ben"), withdrawn("anna")]
        assert requests(told)[1].caused_by == "d-1"

    def test_callback_never_comes(self) -> None:
        """A decision whose callback does not come within 30 days is suppressed as too late."""
        world = opened()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        world.later(days=30)
        told = world.send("staff.upserted", staff("ben", version=2))
        assert outline(told) == [assigned("too_late")]
        assert suppressions(told)[0].caused_by == "d-1"

    def test_decision_before_its_branch(self) -> None:
        """A decision about a callback of an unknown branch waits for the branch."""
        world = opened()
        world.send("callback.requested", callback(branch_id="b-2"))
        assert world.send("callback.auto_assigned", decision("d-1", "anna")) == []
        told = world.send("branch.upserted", branch(branch_id="b-2"))
        assert outline(told) == [RECEIVED, assigned("anna")]

    def test_decision_before_its_colleague(self) -> None:
        """A colleague whom we chose and who is not known here yet is told when they are."""
        world = requested()
        assert world.send("callback.auto_assigned", decision("d-1", "dora")) == []
        assert outline(world.send("staff.upserted", staff("dora"))) == [assigned("dora")]

    def test_decision_after_the_callback_was_closed(self) -> None:
        """A decision taken before the callback was closed is told to nobody afterwards."""
        world = requested()
        world.send("callback.cancelled", callback(2, status="cancelled"))
        late = decision("d-1", "anna", basis={"booking.callbacks": 0})
        assert outline(world.send("callback.auto_assigned", late)) == [assigned("superseded")]

    def test_decision_after_the_callback_was_taken_away(self) -> None:
        """A decision taken before a withdrawal by hand was seen is told to nobody; one taken after it is."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        assert outline(world.send("callback.unassigned", callback(2))) == [withdrawn("anna")]
        late = decision("d-2", "ben", basis={"booking.callbacks": 0})
        assert outline(world.send("callback.reassigned", late)) == [assigned("superseded")]
        later = decision("d-3", "ben", basis={"booking.callbacks": 1})
        assert outline(world.send("callback.auto_assigned", later)) == [assigned("ben")]

    def test_decision_before_the_move_that_it_has_seen(self) -> None:
        """Ben got it by hand and left, so it is Cleo's: if that is read first, she hears nothing else later."""
        world = requested()
        by_hand = world.record("callback.assigned", callback(2, status="assigned", assigned_to="ben"))
        left = world.record("callback.reassigned", decision("d-1", "cleo", previous_staff_id="ben"))
        assert outline(world.apply(left)) == [assigned("cleo"), withdrawn("ben")]
        assert outline(world.apply(by_hand)) == [assigned("superseded")]

    def test_decision_before_the_withdrawal_that_it_has_seen(self) -> None:
        """Who gets back what was taken from them by hand keeps it, if they hear of that first."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        taken = world.record("callback.unassigned", callback(2))
        again = world.record("callback.auto_assigned", decision("d-2", "anna"))
        assert outline(world.apply(again, taken)) == [assigned("already_told")]

    def test_an_echo_before_the_move_that_overruled_it(self) -> None:
        """What is told on an echo's word, because its decision was not here, is taken back once that shows it."""
        world = requested()
        earlier = world.record("callback.auto_assigned", decision("d-1", "anna"))
        later = world.record("callback.reassigned", decision("d-2", "ben", previous_staff_id="anna"))
        world.send("callback.unassigned", callback(2))
        echo = callback(3, status="assigned", assigned_to="anna", decision_id="d-1")
        assert outline(world.send("callback.assigned", echo)) == [assigned("anna")]
        assert outline(world.apply(earlier)) == [assigned("already_told")]
        assert outline(world.apply(later)) == [assigned("superseded"), withdrawn("anna")]


class TestByHand:
    def by_hand(self, version: int, person: str, **fields: object) -> dict[str, object]:
        return callback(version, assigned_to=person, status="assigned", **fields)

    def test_assigned(self) -> None:
        """Who is assigned by hand is told, and the one who had it until now."""
        world = requested()
        assert outline(world.send("callback.assigned", self.by_hand(2, "anna"))) == [assigned("anna")]
        told = world.send("callback.assigned", self.by_hand(3, "ben"))
        assert outline(told) == [assigned("ben"), withdrawn("anna")]

    def test_unassigned(self) -> None:
        """Who loses it by hand is told, and told again when it is theirs again."""
        world = requested()
        world.send("callback.assigned", self.by_hand(2, "anna"))
        assert outline(world.send("callback.unassigned", callback(3))) == [withdrawn("anna")]
        assert outline(world.send("callback.assigned", self.by_hand(4, "anna"))) == [assigned("anna")]

    def test_only_the_type_assigned(self) -> None:
        """An assignment in an event of another type moves the callback and tells nobody."""
        world = opened()
        assert outline(world.send("callback.requested", self.by_hand(1, "anna"))) == [RECEIVED]
        assert world.send("callback.updated", self.by_hand(2, "ben")) == []
        told = world.send("callback.reassigned", decision("d-1", "cleo", previous_staff_id="ben"))
        assert outline(told) == [assigned("cleo"), withdrawn("ben")]

    def test_unknown_colleague(self) -> None:
        """Somebody assigned by hand who is not in the directory has no address."""
        world = requested()
        [request] = requests(world.send("callback.assigned", self.by_hand(2, "dora")))
        assert [skip.reason for skip in request.skipped] == ["no_address"]

    def test_silent(self) -> None:
        """`notify: none` moves the callback and tells nobody; who had been told hears of it with the next move."""
        world = requested()
        world.send("callback.assigned", self.by_hand(2, "anna"))
        told = world.send("callback.assigned", self.by_hand(3, "ben", notify="none"))
        assert outline(told) == [assigned("not_wanted")]
        told = world.send("callback.assigned", self.by_hand(4, "cleo"))
        assert outline(told) == [assigned("cleo"), withdrawn("ben"), withdrawn("anna")]

    def test_silently_unassigned(self) -> None:
        """`notify: none` on a withdrawal tells nobody, once."""
        world = requested()
        world.send("callback.assigned", self.by_hand(2, "anna"))
        assert outline(world.send("callback.unassigned", callback(3, notify="none"))) == [withdrawn("not_wanted")]

    @pytest.mark.parametrize("how", ["completed", "expired", "cancelled", "contacted"])
    def test_closing(self, how: str) -> None:
        """Closing or expiry tells nobody; reopened, the callback is told like a new one."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        assert world.send(f"callback.{how}", self.by_hand(2, "anna") | {"status": how}) == []
        assert world.send("callback.updated", callback(3)) == []
        again = decision("d-2", "anna", basis={"booking.callbacks": 2})
        assert outline(world.send("callback.auto_assigned", again)) == [assigned("anna")]


class TestEchoes:
    def echo(self, version: int, person: str, decision_id: str | None = None) -> dict[str, object]:
        return callback(version, assigned_to=person, status="assigned", decision_id=decision_id)

    @pytest.mark.parametrize("decision_id", ["d-1", None])
    def test_after_the_decision(self, decision_id: str | None) -> None:
        """The booking system's echo of a decision tells nobody again."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        told = world.send("callback.assigned", self.echo(2, "anna", decision_id))
        assert outline(told) == [assigned("already_told")]

    @pytest.mark.parametrize("decision_id", ["d-1", None])
    def test_before_the_decision(self, decision_id: str | None) -> None:
        """If the echo arrives first, it is told, and the decision is not."""
        world = requested()
        assert outline(world.send("callback.assigned", self.echo(2, "anna", decision_id))) == [assigned("anna")]
        late = decision("d-1", "anna", basis={"booking.callbacks": 0})
        assert outline(world.send("callback.auto_assigned", late)) == [assigned("already_told")]

    @pytest.mark.parametrize("decision_id", ["d-1", None])
    def test_late(self, decision_id: str | None) -> None:
        """The late echo of a decision that was overtaken by another tells nobody and takes nothing away."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        world.send("callback.reassigned", decision("d-2", "ben", previous_staff_id="anna"))
        assert outline(world.send("callback.assigned", self.echo(2, "anna", decision_id))) == [
            assigned("already_told")
        ]
        told = world.send("callback.reassigned", decision("d-3", "cleo", previous_staff_id="ben"))
        assert outline(told) == [assigned("cleo"), withdrawn("ben")]

    def test_of_the_second_decision_before_the_first(self) -> None:
        """If the echo of a re-assignment arrives before both decisions, only its colleague is told."""
        world = requested()
        assert outline(world.send("callback.assigned", self.echo(2, "ben", "d-2"))) == [assigned("ben")]
        first = decision("d-1", "anna", basis={"booking.callbacks": 0})
        assert outline(world.send("callback.auto_assigned", first)) == [assigned("superseded")]
        second = decision("d-2", "ben", previous_staff_id="anna", basis={"booking.callbacks": 0})
        assert outline(world.send("callback.reassigned", second)) == [assigned("already_told")]
        third = decision("d-3", "cleo", previous_staff_id="ben", basis={"booking.callbacks": 0})
        assert outline(world.send("callback.reassigned", third)) == [assigned("cleo"), withdrawn("ben")]

    def test_by_hand_after_echoes(self) -> None:
        """Once the echoes are through, naming an earlier colleague is an assignment by hand."""
        world = requested()
        world.send("callback.assigned", self.echo(2, "ben", "d-2"))
        world.send("callback.auto_assigned", decision("d-1", "anna", basis={"booking.callbacks": 0}))
        world.send("callback.reassigned", decision("d-2", "ben", basis={"booking.callbacks": 0}))
        told = world.send("callback.assigned", self.echo(3, "anna"))
        assert outline(told) == [assigned("anna"), withdrawn("ben")]

    @pytest.mark.parametrize("decision_id", ["d-1", None])
    @pytest.mark.parametrize("is_late", [True, False])
    def test_applied_after_a_move_by_hand(self, decision_id: str | None, is_late: bool) -> None:
        """If the booking system moves a callback by hand and then applies our decision after all, it moves again,
        wherever our decision arrives in between."""
        world = requested()
        earlier = decision("d-1", "anna", basis={"booking.callbacks": 0})
        if not is_late:
            world.send("callback.auto_assigned", earlier)
        world.send("callback.assigned", self.echo(2, "cleo"))
        if is_late:
            assert outline(world.send("callback.auto_assigned", earlier)) == [assigned("superseded")]
        told = world.send("callback.assigned", self.echo(3, "anna", decision_id))
        assert outline(told) == [assigned("anna"), withdrawn("cleo")]

    @pytest.mark.parametrize("moved", [[], ["cleo"], ["cleo", "ben"]])
    def test_late_after_moves_by_hand(self, moved: list[str]) -> None:
        """The late echo of an older decision stays one when the callback was moved and taken away by hand."""
        world = requested()
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        world.send("callback.reassigned", decision("d-2", "ben", previous_staff_id="anna"))
        for version, person in enumerate(moved, start=2):
            world.send("callback.assigned", self.echo(version, person))
        world.send("callback.unassigned", callback(5))
        assert outline(world.send("callback.assigned", self.echo(6, "anna", "d-1"))) == [assigned("already_told")]
        told = world.send("callback.auto_assigned", decision("d-3", "anna"))
        assert outline(told) == [assigned("anna")]

    def test_that_moved_silently(self) -> None:
        """If a decision is first heard of by an event that tells nobody, the decision itself is still told."""
        world = requested()
        assert world.send("callback.updated", self.echo(2, "anna", "d-1")) == []
        late = decision("d-1", "anna", basis={"booking.callbacks": 0})
        assert outline(world.send("callback.auto_assigned", late)) == [assigned("anna")]

    def test_unchanged(self) -> None:
        """A later snapshot that repeats an overtaken assignment moves nothing."""
        world = requested()
        world.send("callback.assigned", self.echo(2, "anna"))
        world.send("callback.reassigned", decision("d-1", "ben", previous_staff_id="anna"))
        told = world.send("callback.assigned", self.echo(3, "anna"))
        assert outline(told) == [assigned("already_told")]

    def test_configuration_comes_later(self) -> None:
        """What was suppressed for want of a configuration is not told by its echo."""
        world = World()
        world.send("branch.upserted", branch())
        world.send("staff.upserted", staff())
        world.send("callback.requested", callback())
        world.send("callback.auto_assigned", decision("d-1", "anna"))
        world.send("notification_config.upserted", config("callback.assigned"))
        told = world.send("callback.assigned", self.echo(2, "anna", "d-1"))
        assert outline(told) == [assigned("already_told")]
