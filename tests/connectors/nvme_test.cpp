// SPDX-License-Identifier: Apache-2.0
// NVMe bytes and names as tables: what real controllers answer, what broken or hostile ones could.
#include "connectors/nvme.h"

#include <gmock/gmock.h>

#include "tests/connectors/results.h"

namespace volgrow::nvme {
namespace {

using namespace std::string_literals;

void put_le(std::string& page, std::size_t at, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i)
    page[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

/// Identify Namespace whose format in use is number `index`, of 2^lbads bytes.
std::string page(std::uint64_t blocks, int lbads, int index = 0) {
  std::string made(identify_size, '\0');
  put_le(made, 0, blocks);
  made[26] = static_cast<char>((index & 0x0f) | ((index & 0x30) << 1));
  made[128 + 4 * static_cast<std::size_t>(index) + 2] = static_cast<char>(lbads);
  return made;
}

std::string descriptor(int type, const std::string& value) {
  return std::string{static_cast<char>(type), static_cast<char>(value.size()), '\0', '\0'} + value;
}

std::string list_of(const std::string& descriptors) {
  return descriptors + std::string(identify_size - descriptors.size(), '\0');
}

const auto uuid = std::string(15, '\x11') + '\x01';
const auto nguid = std::string(15, '\x22') + '\x02';
const auto eui = std::string(7, '\x33') + '\x03';

TEST(AnIdentifiedNamespace, IsItsBlocksTimesTheirLength) {
  EXPECT_EQ(parse_capacity(page(0x500000, 9)), (Capacity{Bytes(0x500000ULL << 9), Bytes(512)}));
  EXPECT_EQ(parse_capacity(page(0x500000, 10)), (Capacity{Bytes(0x500000ULL << 10), 1_KiB}));
  EXPECT_EQ(parse_capacity(page(0x500000, 12)), (Capacity{Bytes(0x500000ULL << 12), 4_KiB}));
}

// Two more bits of the index are above a bit that means something else.
TEST(AnIdentifiedNamespace, HasTheFormatInUseAmongSixtyFour) {
  for (const int index : {0, 1, 15, 16, 17, 47, 63}) {
    auto made = page(8, 12, index);
    made[26] = static_cast<char>(made[26] | 0x10);  // metadata at the end of the data
    EXPECT_EQ(parse_capacity(made), (Capacity{32_KiB, 4_KiB})) << index;
  }
}

TEST(AnIdentifiedNamespace, OfZerosIsNotThere) {
  EXPECT_THAT(parse_capacity(std::string(identify_size, '\0')),
              FailsWith(ErrorCode::no_such_device, "no such namespace"));
}

TEST(AnIdentifiedNamespace, IsRefusedWhenItsSizeCannotBe) {
  constexpr auto most = std::uint64_t{1} << 55;
  EXPECT_THAT(parse_capacity(page(most - 1, 9)), Succeeds());
  for (const auto& broken :
       {page(8, 0), page(8, 8), page(8, 64), page(8, 255), page(0, 9), page(most, 9),
        page(~std::uint64_t{0}, 12), page(8, 12).substr(1), std::string()})
    EXPECT_THAT(parse_capacity(broken), FailsWith(ErrorCode::no_usable_path, "Identify Namespace"));
}

TEST(ANamespaceWithoutDescriptors, IsItsNguidBeforeItsEui) {
  auto made = page(8, 9);
  EXPECT_EQ(parse_namespace_identity(made), std::nullopt);
  made.replace(120, 8, eui);
  EXPECT_EQ(parse_namespace_identity(made), (Wwid{WwidType::eui, "3333333333333303"}));
  made.replace(104, 16, nguid);
  EXPECT_EQ(parse_namespace_identity(made),
            (Wwid{WwidType::nguid, "22222222222222222222222222222202"}));
  EXPECT_EQ(parse_namespace_identity(made.substr(1)), std::nullopt);
}

TEST(ADescriptorList, IsItsUuidBeforeItsNguidBeforeItsEui) {
  const auto by_eui = descriptor(1, eui);
  const auto by_nguid = descriptor(2, nguid);
  const auto by_uuid = descriptor(3, uuid);
  const Wwid as_eui{WwidType::eui, "3333333333333303"};
  const Wwid as_nguid{WwidType::nguid, "22222222222222222222222222222202"};
  const Wwid as_uuid{WwidType::uuid, "11111111111111111111111111111101"};

  EXPECT_EQ(parse_descriptors(list_of(by_eui)), as_eui);
  EXPECT_EQ(parse_descriptors(list_of(by_nguid + by_eui)), as_nguid);
  EXPECT_EQ(parse_descriptors(list_of(by_eui + by_uuid + by_nguid)), as_uuid);
}

TEST(ADescriptorList, MayHoldWhatIsNoIdentity) {
  const auto command_set = descriptor(4, "\0"s);
  const auto of_the_future = descriptor(9, std::string(40, 'x'));

  EXPECT_EQ(parse_descriptors(list_of("")), std::nullopt);
  EXPECT_EQ(parse_descriptors(list_of(command_set + of_the_future)), std::nullopt);
  EXPECT_EQ(parse_descriptors(list_of(descriptor(3, std::string(16, '\0')))), std::nullopt);
  EXPECT_EQ(parse_descriptors(list_of(of_the_future + descriptor(2, nguid))),
            (Wwid{WwidType::nguid, "22222222222222222222222222222202"}));
}

TEST(ADescriptorList, IsRefusedWhenItsLengthsAreWrong) {
  EXPECT_THAT(parse_descriptors(descriptor(3, uuid).substr(0, 12)),
              FailsWith(ErrorCode::no_usable_path, "cut off"));
  EXPECT_THAT(parse_descriptors(list_of(descriptor(3, uuid + "x"))),
              FailsWith(ErrorCode::no_usable_path, "type 3 has 17 bytes"));
}

TEST(AStatus, SaysWhetherTheNamespaceIsGoneOrThePathOfNoUse) {
  EXPECT_THAT(refusal(0x400b, "nvme0c0n1"),
              ErrorIs(ErrorCode::no_such_device, "no such namespace"));
  EXPECT_THAT(refusal(0x0371, "nvme0c0n1"), ErrorIs(ErrorCode::no_usable_path, "being reset"));
  EXPECT_THAT(refusal(0x4302, "nvme0c0n1"), ErrorIs(ErrorCode::no_usable_path, "inaccessible"));
  EXPECT_THAT(refusal(0x07ff, "nvme0c0n1"), ErrorIs(ErrorCode::no_usable_path, "0x7ff"));
  EXPECT_TRUE(is_unsupported(0x4002));
  EXPECT_FALSE(is_unsupported(0x400b));
}

TEST(ADiskName, IsItsNumbers) {
  EXPECT_EQ(parse_disk_name("nvme0n1"), (DiskName{0, std::nullopt, 1}));
  EXPECT_EQ(parse_disk_name("nvme12c3n456"), (DiskName{12, 3, 456}));
  for (const auto* other : {"", "nvme", "nvme0", "nvme0n", "nvme0c1", "nvme0cn1", "nvme0n1p1",
                            "sda", "nvme-1n1", "nvme0n01", "nvme0n99999999999", "nvme0c0n1x"})
    EXPECT_EQ(parse_disk_name(other), std::nullopt) << other;
}

TEST(ADiskName, OfAPathBelongsToTheHeadOfItsSubsystemAndNumber) {
  const auto path = *parse_disk_name("nvme1c3n2");
  EXPECT_TRUE(path.is_path_of(*parse_disk_name("nvme1n2")));
  EXPECT_FALSE(path.is_path_of(*parse_disk_name("nvme1n1")));
  EXPECT_FALSE(path.is_path_of(*parse_disk_name("nvme3n2")));
  EXPECT_FALSE(path.is_path_of(path));
  EXPECT_FALSE(parse_disk_name("nvme1n2")->is_path_of(*parse_disk_name("nvme1n2")));
}

TEST(AControllersName, HasNothingBehindItsNumber) {
  EXPECT_TRUE(is_controller_name("nvme17"));
  for (const auto* other : {"nvme", "nvme0n1", "nvme-subsys0", "nvme0c", "loop0", ""})
    EXPECT_FALSE(is_controller_name(other)) << other;
}

TEST(AControllersAddress, IsItsPortalWhateverKeysTheKernelAdds) {
  EXPECT_EQ(portal_of("traddr=10.0.0.1,trsvcid=4420,src_addr=10.0.0.9"), "10.0.0.1:4420");
  EXPECT_EQ(portal_of("trsvcid=4420,host_iface=eth0,traddr=10.0.0.1"), "10.0.0.1:4420");
  EXPECT_EQ(portal_of("traddr=fd00::1,trsvcid=8009"), "[fd00::1]:8009");
  EXPECT_EQ(portal_of("traddr=nn-0x10:pn-0x20,host_traddr=nn-0x11:pn-0x21"), "nn-0x10:pn-0x20");
  EXPECT_EQ(portal_of("traddr=nn-0x10:pn-0x20,trsvcid=none"), "nn-0x10:pn-0x20");
  EXPECT_EQ(portal_of("0000:00:04.0"), "0000:00:04.0");
  EXPECT_EQ(portal_of(""), "");
}

}  // namespace
}  // namespace volgrow::nvme
