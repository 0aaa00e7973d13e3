"""What the city is made of: code lists, filing conditions, areas, components, streets and named places."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from db.engine.columns import BigId, id_column, version_column
from db.engine.tables import metadata

category = Table(
    "category",
    metadata,
    id_column(),
    # GB/T 30428.2-2013, GB/T 47678.5-2026 or the bureau's own. Unique is (standard, kind, code): DOMAIN 0.2.
    Column("standard", String(24), nullable=False),
    # component 部件 or matter 事项.
    Column("kind", String(10), nullable=False),
    Column("code", String(12), nullable=False),
    Column("major", String(4), nullable=False),
    Column("major_name", String(60), nullable=False),
    Column("major_name_en", String(80), nullable=False, server_default=""),
    Column("name", String(80), nullable=False),
    Column("name_en", String(120), nullable=False, server_default=""),
    # Where this class went in the newer list.
    Column("successor_id", BigId, ForeignKey("category.id")),
    version_column(),
    UniqueConstraint("standard", "kind", "code"),
)

condition = Table(
    "filing_condition",
    metadata,
    id_column(),
    Column("category_id", BigId, ForeignKey("category.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("text", String(400), nullable=False),
    Column("text_en", String(400), nullable=False, server_default=""),
    Column("closing", String(400), nullable=False, server_default=""),
    # Number and unit stand together: db.calendars.rules.Limit.
    Column("limit_amount", Integer, nullable=False),
    Column("limit_unit", String(16), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    version_column(),
    UniqueConstraint("category_id", "ordinal", "valid_from"),
)

area = Table(
    "area",
    metadata,
    id_column(),
    # city 城市, district 街道/镇, community 社区, patrol 责任网格, cell 单元网格.
    Column("kind", String(12), nullable=False),
    Column("code", String(24), nullable=False),
    Column("name", String(100), nullable=False),
    Column("name_en", String(100), nullable=False, server_default=""),
    # cell -> community -> district -> city; a patrol area hangs on its community.
    Column("parent_id", BigId, ForeignKey("area.id")),
    Column("patrol_id", BigId, ForeignKey("area.id")),
    # WKB polygon in WGS-84.
    Column("outline", LargeBinary),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Column("square_metres", Float(53)),
    # How often a collector is to pass in a working day: the plan that the patrol is held against.
    Column("visits_per_day", Float(53)),
    Column("unit_id", BigId, ForeignKey("unit.id")),
    # When it left the register: no longer drawn, found or counted; cases of that time still point to it.
    Column("ended_on", Date),
    version_column(),
    UniqueConstraint("kind", "code"),
    Index("ix_area_parent_id", "parent_id"),
)

component = Table(
    "component",
    metadata,
    id_column(),
    Column("code", String(17), nullable=False, unique=True),
    Column("category_id", BigId, ForeignKey("category.id"), nullable=False),
    # intact 完好, damaged 破损, lost 丢失, derelict 废弃, removed 移除 (DOMAIN 1.4).
    Column("state", String(10), nullable=False),
    Column("cell_id", BigId, ForeignKey("area.id")),
    Column("unit_id", BigId, ForeignKey("unit.id")),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Column("placed_on", Date),
    version_column(),
    Index("ix_component_cell_id", "cell_id"),
    Index("ix_component_lon_lat", "lon", "lat"),
)

road = Table(
    "road",
    metadata,
    id_column(),
    Column("name", String(60), nullable=False),
    Column("name_en", String(80), nullable=False, server_default=""),
    # main 主干道, side 次干道, lane 背街小巷.
    Column("grade", String(8), nullable=False),
    # WKB line string in WGS-84.
    Column("line", LargeBinary, nullable=False),
    Column("ended_on", Date),
    version_column(),
)

water = Table(
    "water",
    metadata,
    id_column(),
    # river, lake or park: the quiet shapes of the base map.
    Column("kind", String(8), nullable=False),
    Column("name", String(60), nullable=False),
    Column("name_en", String(80), nullable=False, server_default=""),
    Column("outline", LargeBinary, nullable=False),
    Column("ended_on", Date),
    version_column(),
)

place = Table(
    "place",
    metadata,
    id_column(),
    # crossing 路口, landmark 地标, door 门牌, market 市场, school 学校, stop 公交站.
    Column("kind", String(12), nullable=False),
    Column("name", String(120), nullable=False),
    Column("name_en", String(120), nullable=False, server_default=""),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Column("note", Text),
    Column("ended_on", Date),
    version_column(),
    Index("ix_place_name", "name"),
)

# 敏感区域: schools, hospitals, markets and the like, which are to be looked at so many times a day.
sensitive = Table(
    "sensitive_place",
    metadata,
    id_column(),
    # school, hospital, market, station, government, scenic.
    Column("kind", String(12), nullable=False),
    Column("name", String(120), nullable=False),
    Column("name_en", String(120), nullable=False, server_default=""),
    Column("lon", Float(53), nullable=False),
    Column("lat", Float(53), nullable=False),
    Column("radius", Float(53), nullable=False),  # metres
    Column("visits_per_day", Integer, nullable=False),
    Column("ended_on", Date),
    version_column(),
)

# What is allowed where and when: a stall is legal at 07:30 and a case at 08:40 (DOMAIN 6.2).
time_rule = Table(
    "time_rule",
    metadata,
    id_column(),
    Column("name", String(120), nullable=False),
    Column("name_en", String(120), nullable=False, server_default=""),
    # The beginning of the class's code in GB/T 47678.5-2026.
    Column("prefix", String(12), nullable=False),
    # WKB polygon in WGS-84.
    Column("outline", LargeBinary, nullable=False),
    # Monday to Sunday, each 1 or 0.
    Column("weekdays", String(7), nullable=False, server_default="1111111"),
    # Minutes since midnight; the end may lie after midnight (up to 2880).
    Column("from_minute", Integer, nullable=False),
    Column("to_minute", Integer, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    version_column(),
)
