"""The factory line of these tests: makes swupdate devices and images for them, and waits for what they do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.peers.care import Care
from tests.peers.mgmt import Mgmt, messages
from tests.peers.programs import until
from tests.peers.serving import ServedFleetrig
from tests.peers.swupdate_device import DeviceSettings, SwupdateDevice
from tests.peers.swupdate_image import Signer, Update, signed_image

ATTRIBUTES = {"serial": "SN-0001", "hw_revision": "1.0"}
ALL_INSTALLED = "All Chunks Installed."


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """Devices for one server that hold the vendor's certificate; images are made in `folder`."""

    server: ServedFleetrig
    vendor: Signer
    care: Care
    folder: Path

    @property
    def mgmt(self) -> Mgmt:
        return self.server.mgmt

    def settings(
        self, controller_id: str, *, target_token: str = "", gateway_token: str = "", tenant: str = "DEFAULT"
    ) -> DeviceSettings:
        certificate = self.vendor.certificate
        return DeviceSettings(
            self.server.url, controller_id, certificate, target_token, gateway_token, ATTRIBUTES, tenant
        )

    def register(self, controller_id: str) -> DeviceSettings:
        """Creates the target; gives the settings of a device that was told its token."""
        return self.settings(controller_id, target_token=self.mgmt.create_target(controller_id))

    def start(self, settings: DeviceSettings, report: int | None = None) -> SwupdateDevice:
        """`report` is what the device tells about its last update."""
        return self.care.take(SwupdateDevice(self.care.short_folder(), settings, report))

    def assign(self, controller_id: str, update: Update, signer: Signer | None = None, **how: object) -> int:
        """Builds and uploads an image and assigns it to the target; gives the action's id."""
        image = signed_image(self.folder, update, signer or self.vendor)
        name = f"{controller_id} {update.version}"
        return self.mgmt.assign(self.mgmt.create_update(name, image, update.version), controller_id, **how)

    def until_installed(self, controller_id: str, action: int, device: SwupdateDevice) -> None:
        """The device has said so; the action is still open then."""

        def said_so() -> bool:
            return ALL_INSTALLED in messages(self.mgmt.history(controller_id, action))

        until("it says that all is installed", said_so, device, self.server)

    def until_ended(self, controller_id: str, action: int, device: SwupdateDevice) -> None:
        until("the action ends", lambda: not self.mgmt.is_active(controller_id, action), device, self.server)
