"""The options of `fleetrig doctor kura`: what a gateway has, what it is sent, and who looks on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.platforms.kura.doctor.facts import Purpose

# What the gateway is set up with

ConfigurationFile = Annotated[
    Path | None,
    typer.Option("--configuration", metavar="F", help="Its configuration or a snapshot, as XML (esf:configurations)."),
]
ConnectionName = Annotated[
    str, typer.Option("--connection", metavar="NAME", help="Which of its cloud connections.  [default: the first]")
]
For = Annotated[
    Purpose | None, typer.Option("--for", help="What it calls for.  [default: by its configuration and account]")
]
BrokerUrl = Annotated[str, typer.Option(metavar="URL", help="What it calls, mqtts://HOST:8883; that port is tried.")]
Account = Annotated[str, typer.Option(metavar="NAME", help="Its account-name.")]
Login = Annotated[str, typer.Option(metavar="NAME", help="Its username.  [default: made of --mac and --serial]")]
Secret = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password.")]
ClientId = Annotated[str, typer.Option(metavar="ID", help="Its client-id.  [default: made of --mac]")]
ActivationKey = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its activation-key.")]
Mac = Annotated[str, typer.Option(metavar="MAC", help="Of its main interface.")]
Serial = Annotated[str, typer.Option(metavar="TEXT", help="kura.serialNumber; UNKNOWN when it is not set.")]
Provisioned = Annotated[bool, typer.Option("--provisioned", help="It obeys signed control messages alone.")]
ProvisionAccount = Annotated[str, typer.Option(metavar="NAME", help="The account in which gateways are provisioned.")]

# What it is sent, and whom it trusts

Chain = Annotated[Path | None, typer.Option(metavar="F", help="A certificate chain that it is sent (PEM).")]
Trust = Annotated[
    list[Path] | None, typer.Option(metavar="F", help="An authority in its trust store (PEM); repeatable.")
]
NoCaAuthentication = Annotated[bool, typer.Option("--no-ca-authentication", help="It takes any chain.")]
Keystore = Annotated[
    Path | None, typer.Option(metavar="F", help="Its DMKeystore: PEM, or entries as JSON (KEYS-V1, REST).")
]
Signer = Annotated[
    Path | None, typer.Option(metavar="F", help="The certificate with which an instance signs its control messages.")
]
Topic = Annotated[str, typer.Option(metavar="TOPIC", help="A message's topic.")]
Payload = Annotated[str | None, typer.Option(metavar="HEX|BASE64|@F", help="Its payload; @F is a file with the bytes.")]

# Who looks

Against = Annotated[
    str | None, typer.Option(metavar="URL|SERVER.yaml", help="A server to look at (REST).  [default: files alone]")
]
User = Annotated[str | None, typer.Option(metavar="NAME", help="An operator's account.  [default: the well-known one]")]
Password = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password.")]
Connect = Annotated[bool, typer.Option("--connect", help="Ask the broker by a CONNECT, which leaves a mark there.")]
Within = Annotated[float, typer.Option(metavar="S", min=0.1, max=120.0, help="How long to wait for an answer.")]
Ca = Annotated[
    Path | None, typer.Option("--ca", metavar="F", help="Whom the gateway trusts as the broker's authority (PEM).")
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Accept any certificate of the server.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
