"""Leases: which of several workers watches which camera, until when."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tiepoint_adapters.clock import Clock
from tiepoint_security.records.database import Database
from tiepoint_security.records.tables import CameraLeaseRow, WorkerRow


class Leases:
    """Shares cameras among the workers of one database.

    Each worker renews its leases well before they run out. One that dies, or cannot reach the
    database, loses them when they do, and the others take its cameras over; nobody has more than
    an even share while others have less.

    Args:
        database: That of the alerts.
        worker: The name of this one; unique.
        clock: The clocks; those of all workers must agree to a fraction of the lease.
        lease_s: How long a lease lasts.
    """

    def __init__(self, database: Database, worker: str, clock: Clock, lease_s: float) -> None:
        self.worker = worker
        self.lease_s = lease_s
        self._database = database
        self._clock = clock

    def renew(self, cameras: Collection[str]) -> frozenset[str]:
        """Renew what this worker holds, and take what is free up to its share.

        Args:
            cameras: All cameras of the deployment.

        Returns:
            The cameras that it holds for `lease_s` from now on.

        Raises:
            StoreError: The database refused; what was held runs out.
        """
        with self._database.writing() as session:
            self._database.alone(session, "share cameras")
            now_s = self._clock.wall()
            self._sign_in(session, now_s)
            workers = session.scalars(select(WorkerRow).where(WorkerRow.until_s > now_s)).all()
            share = -(-len(cameras) // len(workers))
            leases = {row.camera: row for row in session.scalars(select(CameraLeaseRow))}
            held = [
                row
                for camera in cameras
                if (row := leases.get(camera)) is not None and row.worker == self.worker
            ]
            for row in held[share:]:
                session.delete(row)
            held = held[:share]
            for camera in cameras:
                row = leases.get(camera)
                if len(held) >= share:
                    break
                if row is None:
                    row = CameraLeaseRow(camera=camera, worker=self.worker, until_s=0.0)
                    session.add(row)
                elif row.worker == self.worker or row.until_s > now_s:
                    continue
                row.worker = self.worker
                held.append(row)
            for row in held:
                row.until_s = now_s + self.lease_s
            return frozenset(row.camera for row in held)

    def give_back(self) -> None:
        """Give back what this worker holds, at once.

        Raises:
            StoreError: The database refused; it runs out by itself.
        """
        with self._database.writing() as session:
            self._database.alone(session, "share cameras")
            session.execute(delete(CameraLeaseRow).where(CameraLeaseRow.worker == self.worker))
            session.execute(delete(WorkerRow).where(WorkerRow.worker == self.worker))

    def _sign_in(self, session: Session, now_s: float) -> None:
        session.execute(delete(WorkerRow).where(WorkerRow.until_s < now_s - 10 * self.lease_s))
        row = session.get(WorkerRow, self.worker)
        if row is None:
            row = WorkerRow(worker=self.worker, until_s=0.0)
            session.add(row)
        row.until_s = now_s + self.lease_s
        session.flush()
